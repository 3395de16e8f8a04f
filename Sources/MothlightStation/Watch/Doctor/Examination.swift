import Foundation
import Mothlight

/// Looks at this machine, and at one configuration, for what keeps a station from working. It changes nothing and asks
/// nobody on the network; ports are bound for an instant, to see whether they can be had.
public struct Examination: Sendable {
  private let configuration: StationConfiguration?
  /// Root of `/proc`, `/sys`; another one in tests.
  private let root: String
  private let isRoot: Bool

  public init(_ configuration: StationConfiguration?, root: String = "", isRoot: Bool = getuid() == 0) {
    self.configuration = configuration
    self.root = root
    self.isRoot = isRoot
  }

  public func symptoms() -> [Symptom] {
    var out = [clock(), openFiles(), networkData(), nfdump()]
    guard let configuration else { return out }
    out.append(dataFolder(configuration.data))
    if let user = configuration.user { out.append(self.user(user)) }
    for source in configuration.sources { out.append(contentsOf: symptoms(of: source, configuration)) }
    if configuration.home.isEmpty {
      out.append(
        Symptom(
          "home network", .lacking, "none is given: it will be learned from the traffic",
          remedy:
            "put 'home: [ your prefixes ]' into the configuration, so that nobody else's machine is taken for yours"))
    }
    if let serving = configuration.serving {
      out += symptoms(of: serving, configuration)
      if configuration.privacy.readers != .nobody { out.append(pseudonymKey(configuration)) }
    }
    return out
  }

  // MARK: The machine

  private func clock() -> Symptom {
    let year = CivilDate.from(daysSinceEpoch: Int(time(nil)) / 86_400).year
    guard (2024...2200).contains(year) else {
      return Symptom("clock", .broken, "it is the year \(year) here", remedy: "set the clock: timedatectl set-ntp true")
    }
    return Symptom("clock", .fine, "\(Timestamp(seconds: Int64(time(nil))).dayDescription), UTC")
  }

  private func openFiles() -> Symptom {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    let wanted: UInt = 4096
    return limit.rlim_cur >= wanted
      ? Symptom("open files", .fine, "\(limit.rlim_cur) allowed")
      : Symptom(
        "open files", .lacking, "only \(limit.rlim_cur) allowed",
        remedy: "ulimit -n 65536, or LimitNOFILE= in the unit: many browsers and rotated logs need more")
  }

  private func networkData() -> Symptom {
    let word = configuration?.networks.isEmpty == false ? configuration?.networks : nil
    do {
      if let paths = word {
        _ = try NetworkFiles.open(paths)
        return Symptom("network data", .fine, paths.joined(separator: ", "))
      }
      guard let found = try NetworkFiles.openOrInstalled(nil) else {
        return Symptom(
          "network data", .lacking, "no database tells who announces an address",
          remedy: "apt-get install libloc-database, or name a MaxMind file under 'networks'")
      }
      return Symptom("network data", .fine, found.origin)
    } catch {
      return Symptom("network data", .broken, error.message, remedy: "mend or leave out 'networks'")
    }
  }

  private func nfdump() -> Symptom {
    let paths = ["/usr/bin/nfdump", "/usr/local/bin/nfdump"]
    return paths.contains { access(root + $0, X_OK) == 0 }
      ? Symptom("nfdump", .fine, "installed: nfcapd files can be read")
      : Symptom(
        "nfdump", .lacking, "not installed: nfcapd files cannot be read",
        remedy: "apt-get install nfdump, if you have any")
  }

  // MARK: The configuration

  private func dataFolder(_ path: String) -> Symptom {
    var status = stat()
    guard stat(path, &status) == 0 else {
      let parent = (path as NSString).deletingLastPathComponent
      return access(parent.isEmpty ? "." : parent, W_OK) == 0
        ? Symptom("data folder", .fine, "\(path): will be made")
        : Symptom(
          "data folder", .broken, "\(path): cannot be made", remedy: "make it and give it to the station's user")
    }
    guard access(path, W_OK) == 0 else {
      return Symptom("data folder", .broken, "\(path): cannot be written", remedy: "chown it to the station's user")
    }
    var system = statvfs()
    guard statvfs(path, &system) == 0 else { return Symptom("data folder", .fine, path) }
    let free = UInt64(system.f_bavail) * UInt64(system.f_frsize)
    let words = "\(path): \(free >> 20) MiB free"
    return free >= 1 << 30
      ? Symptom("data folder", .fine, words)
      : Symptom("data folder", .lacking, words, remedy: "free some space: a busy network writes some 100 MiB a day")
  }

  private func user(_ name: String) -> Symptom {
    guard let problem = Privileges.problem(becoming: name, asRoot: isRoot) else {
      return Symptom("user", .fine, "\(name): whose rights are left once the sources are open")
    }
    return Symptom(
      "user", .broken, problem, remedy: "mend 'user', or leave it out where the unit has 'User=' already")
  }

  /// `nil` when the port can be had, or this station has it and is at work.
  private func port(
    _ subject: String, _ address: ListenAddress, isStream: Bool, _ configuration: StationConfiguration
  ) -> Symptom? {
    guard address.port != 0 else { return nil }
    let what = "\(isStream ? "tcp" : "udp") \(address)"
    let probe = PortProbe(address: address, isStream: isStream)
    let code = probe.bind()
    guard code != 0 else { return nil }
    guard code == EADDRINUSE else {
      return Symptom(
        subject, .broken, "\(what) cannot be had: \(String(cString: strerror(code)))",
        remedy: code == EACCES
          ? "ports below 1024 need root or CAP_NET_BIND_SERVICE" : "name an address of this machine: 'ip address'")
    }
    let data = URL(fileURLWithPath: configuration.data).resolvingSymlinksInPath().path
    let holders = probe.holders(proc: "\(root)/proc", alsoHolding: "\(data)/store.sqlite")
    if holders.contains(where: \.holdsFile) { return nil }
    guard let holder = holders.first else {
      // Only root sees into the processes of others.
      return Symptom(
        subject, isRoot ? .broken : .lacking, "\(what) is taken, by whom cannot be told",
        remedy: "if it is not this station that runs already: 'ss -lntup' as root tells who it is")
    }
    return Symptom(
      subject, .broken, "\(what) is taken by \(holder.name) (process \(holder.process))",
      remedy: "stop that one, or choose another port")
  }

  private func symptoms(
    of source: StationConfiguration.Source, _ configuration: StationConfiguration
  ) -> [Symptom] {
    let subject = "source \(source.name)"
    switch source.place {
    case .interface(let name, _, _): return [interface(subject, name), capture(subject)]
    case .flows(let address, _):
      let taken = port("\(subject), port", address, isStream: false, configuration)
      return [receiveBuffer(subject)] + (taken.map { [$0] } ?? [])
    case .logs(let path), .captures(let path), .spool(let path): return [folder(subject, path)]
    case .demo: return [Symptom(subject, .fine, "simulated traffic: nothing of yours is seen", remedy: "")]
    }
  }

  private func interface(_ subject: String, _ name: String) -> Symptom {
    let known = (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/sys/class/net"))?.sorted() ?? []
    guard known.contains(name) else {
      return Symptom(
        subject, .broken, "there is no interface \(name)",
        remedy: known.isEmpty ? "see 'ip link'" : "there is: \(known.joined(separator: ", "))")
    }
    let state =
      (try? String(contentsOfFile: "\(root)/sys/class/net/\(name)/operstate", encoding: .utf8))?
      .trimmingCharacters(in: .whitespacesAndNewlines) ?? "unknown"
    return state == "down"
      ? Symptom(subject, .lacking, "interface \(name) is down", remedy: "ip link set \(name) up")
      : Symptom(subject, .fine, "interface \(name) is there (\(state))")
  }

  /// CAP_NET_RAW is bit 13 of the effective set (capabilities(7)).
  private func capture(_ subject: String) -> Symptom {
    let status = (try? String(contentsOfFile: "\(root)/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
    let bits = line.flatMap { UInt64($0.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16) } ?? 0
    return isRoot || bits >> 13 & 1 == 1
      ? Symptom("\(subject), rights", .fine, "may capture")
      : Symptom(
        "\(subject), rights", .broken, "may not capture",
        remedy: "run the systemd unit, or: setcap cap_net_raw+ep /usr/bin/mothlight")
  }

  private func receiveBuffer(_ subject: String) -> Symptom {
    let text = (try? String(contentsOfFile: "\(root)/proc/sys/net/core/rmem_max", encoding: .utf8)) ?? ""
    let octets = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    return octets >= 4 << 20 || isRoot
      ? Symptom(subject, .fine, "receive buffers of \(octets >> 10) KiB allowed")
      : Symptom(
        subject, .lacking, "receive buffers of \(octets >> 10) KiB at most: bursts of exporters are lost",
        remedy: "sysctl -w net.core.rmem_max=8388608")
  }

  private func folder(_ subject: String, _ path: String) -> Symptom {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      return Symptom(
        subject, .lacking, "\(path): there is no such folder yet", remedy: "the source waits for it; is the path right?"
      )
    }
    return access(path, R_OK | X_OK) == 0
      ? Symptom(subject, .fine, "\(path) can be read")
      : Symptom(subject, .broken, "\(path): cannot be read", remedy: "let the station's user read it")
  }

  /// A key that others can read leads every name back.
  private func pseudonymKey(_ configuration: StationConfiguration) -> Symptom {
    let path = configuration.privacy.key ?? "\(configuration.data)/pseudonyms.key"
    var status = stat()
    guard stat(path, &status) == 0 else { return Symptom("pseudonyms", .fine, "\(path): will be made") }
    return status.st_mode & 0o077 == 0
      ? Symptom("pseudonyms", .fine, "for \(configuration.privacy.readers.rawValue), by the key in \(path)")
      : Symptom("pseudonyms", .broken, "\(path): others may read this key", remedy: "chmod 600 \(path)")
  }

  private func symptoms(
    of serving: StationConfiguration.Serving, _ configuration: StationConfiguration
  ) -> [Symptom] {
    var out: [Symptom] = []
    if case .files(let certificate, let key) = serving.encryption {
      for path in [certificate, key] where access(path, R_OK) != 0 {
        out.append(
          Symptom("tls", .broken, "\(path): cannot be read", remedy: "name PEM files that the station may read"))
      }
      if out.isEmpty, let problem = Self.problem(certificate, key) {
        out.append(Symptom("tls", .broken, problem, remedy: "name a certificate and its own key"))
      }
    }
    if let taken = port("pages", serving.listen, isStream: true, configuration) {
      out.append(taken)
    } else if !serving.listen.address.isLoopback {
      out.append(
        Symptom(
          "pages", .fine, "offered at \(serving.listen) with TLS", remedy: ""))
    } else {
      out.append(Symptom("pages", .fine, "offered on this machine only, at \(serving.listen)"))
    }
    return out
  }

  private static func problem(_ certificate: String, _ key: String) -> String? {
    do throws(ListenError) {
      _ = try TLSIdentity(certificate: certificate, key: key, at: Timestamp(seconds: Int64(time(nil))))
      return nil
    } catch { return error.description }
  }
}
