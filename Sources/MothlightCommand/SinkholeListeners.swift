import ArgumentParser
import Foundation
import Glibc
import Mothlight
import MothlightStation
import Synchronization

/// What `mothlight sinkhole run --only listeners` does.
enum SinkholeListeners {
  static func run(_ configuration: SinkholeConfiguration, digest: [UInt8]) throws {
    var listeners = configuration.listeners
    // Names of requests and hellos belong to the orders that the name server answers for.
    let names = Names(ServedZones(try ZoneFile.read(configuration.zones), configuration.dns))
    listeners.familyOfHost = { name in names.served.family(ofHost: name, at: Int64(time(nil))) }
    names.readAgainOnHangup(configuration)
    listeners.digest = digest
    listeners.program = Mothlight.version
    if listeners.tally.path == nil, let folder = configuration.spool {
      // So that a kill costs seconds and not the hour, whoever forgot to say where.
      listeners.tally.path = "\(folder)/listeners/tally"
      listeners.tally.isPathOptional = true
    }
    let spool = Handed(try SinkholeSpool.open(configuration, part: "listeners"))
    listeners.tally.identityKey = try identityKey(configuration)
    do {
      let station = try Listeners(listeners, stop: .bySignals()) { spool.sink }
      for address in station.datagramAddresses { Terminal.complain("listeners: udp \(address)") }
      for address in station.streamAddresses { Terminal.complain("listeners: tcp \(address)") }
      if let reason = station.unkept {
        Terminal.complain("listeners: \(reason); counting goes on, a crash would lose the hour under way")
      }
      if let folder = configuration.spool {
        let count = station.writeAgain(missingIn: "\(folder)/listeners")
        if count > 0 { Terminal.complain("listeners: \(count) rows that were on their way are written again") }
      }
      station.run()
      let counters = station.counters
      Terminal.complain(
        "listeners: \(counters.checkIns) check-ins of \(station.sources) sources, "
          + "\(station.kernelDrops) dropped by the kernel")
    } catch let error as ConfigurationError {
      throw Failure(error.message)
    }
  }

  /// Nothing that identifies a machine is taken where nothing is kept.
  private static func identityKey(_ configuration: SinkholeConfiguration) throws -> IdentityKey? {
    guard configuration.listeners.takesIdentities, let folder = configuration.spool else { return nil }
    let path = configuration.listeners.identityKeyFile ?? "\(folder)/listeners/identity.key"
    do throws(ConfigurationError) {
      let (octets, isNew) = try SecretFile.open(path, octets: IdentityKey.octets)
      if isNew { Terminal.complain("listeners: \(path): made; without it identities of before cannot be met again") }
      return try IdentityKey(octets)
    } catch { throw Failure(error.message) }
  }

  /// The names whose check-ins belong to an order; read again on SIGHUP, beside the running listeners.
  private final class Names: Sendable {
    private let zones: Mutex<ServedZones>
    var served: ServedZones { zones.withLock { $0 } }

    init(_ served: ServedZones) { zones = Mutex(served) }

    func readAgainOnHangup(_ configuration: SinkholeConfiguration) {
      let thread = Thread {
        while true {
          Signals.waitForHangup()
          do throws(ZoneFile.Problem) {
            let file = try ZoneFile.read(configuration.zones)
            guard file.problemCount == 0 else {
              Terminal.complain("listeners: \(configuration.zones) was not taken; the names of before stay")
              continue
            }
            let fresh = ServedZones(file, configuration.dns)
            self.zones.withLock { $0 = fresh }
            Terminal.complain("listeners: \(fresh.nameCount) names")
          } catch {
            Terminal.complain("listeners: \(error); the names of before stay")
          }
        }
      }
      thread.name = "names"
      thread.start()
    }
  }

  /// Hands the spool, opened here while the privileges are there, to the thread that writes it.
  ///
  /// Unchecked: this thread does not touch the sink after the listeners have taken it.
  private final class Handed: @unchecked Sendable {
    let sink: any SpoolSink
    init(_ sink: any SpoolSink) { self.sink = sink }
  }
}

/// `mothlight sinkhole firewall CONFIG`: prints, changes nothing.
struct SinkholeFirewall: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "firewall",
    abstract: "Print the nftables and ip rule lines that hand every port to the transparent listeners.",
    discussion: "Nothing is changed: read the lines, then run them as root, e.g. with '| sh'.")

  @Argument(help: "Configuration file (YAML).")
  var config: String

  @Option(
    name: .customLong("keep"),
    help: "Port that is not handed over, e.g. 22; may be repeated. The name server's are kept.")
  var kept: [UInt16] = []

  func run() throws {
    do {
      let configuration = try SinkholeConfiguration.read(config)
      let rules = try FirewallRules(
        addresses: configuration.addresses.ipv4 + configuration.addresses.ipv6, configuration.listeners,
        keeping: kept + configuration.dns.listen.map(\.port))
      _ = Terminal.write(rules.script, to: 1)
    } catch let problem as ZoneFile.Problem {
      throw Failure(problem.description)
    } catch let error as ListenError {
      throw Failure(error.description)
    }
  }
}
