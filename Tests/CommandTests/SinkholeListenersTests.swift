import Foundation
import Glibc
import Testing

/// The listeners as the built program, watched from outside: what it does not do.
@Suite(.serialized) struct SinkholeListenersTests {
  private static let join: [UInt8] = [0x61, 0x01, 0x02, 0x98, 0x89, 0x88, 0xcb]
  private static let replies = [
    #""HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n""#,
    #""HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n""#,
  ]

  private static func tool(_ name: String) -> String? {
    ["/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/"].map { $0 + name }.first { access($0, X_OK) == 0 }
  }

  private static var program: String {
    let folders =
      Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }
      + [URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()]
    return folders.map { $0.appendingPathComponent("mothlight").path }
      .first { FileManager.default.isExecutableFile(atPath: $0) } ?? ""
  }

  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "mothlight-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  private func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

  private func start(_ tool: String, _ arguments: [String], err: String) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: tool)
    process.arguments = arguments
    _ = FileManager.default.createFile(atPath: err, contents: nil)
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: err))
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    return process
  }

  private func port(_ carrier: String, in err: String) -> UInt16? {
    for _ in 0..<600 {
      let line = text(err).split(separator: "\n").first { $0.contains("mothlight: \(carrier) 127.0.0.1:") }
      if let line, let number = line.split(separator: ":").last { return UInt16(number) }
      usleep(50_000)
    }
    return nil
  }

  /// A thousand hostile dialogs: no connection goes out, no datagram, and no octet but the two constant replies.
  @Test(.enabled(if: tool("strace") != nil, "strace is not installed"))
  func nothingGoesOutButConstantReplies() throws {
    let strace = try #require(Self.tool("strace"))
    try withFolder { folder in
      let (trace, err) = (folder + "/trace", folder + "/err")
      let arguments = [
        "-f", "-qq", "-s", "200", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", trace, Self.program, "listen",
        "--udp",
        "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--family", "Mariposa", "--sources", "4096", "--timeout", "1",
        "--per-source", "1000",
      ]
      let process = try start(strace, arguments, err: err)
      let udp = try #require(port("udp", in: err), "\(text(err))")
      let tcp = try #require(port("tcp", in: err))
      var random = SystemRandomNumberGenerator()
      var asked = 0
      for _ in 0..<5 {
        var peers: [Int32] = []
        for number in 0..<200 {
          let message = Self.hostile(number, &random)
          if number % 2 == 1 { asked += message.starts(with: Array("GET ".utf8)) ? 1 : 0 }
          let peer = try #require(Self.peer(number % 2 == 0 ? udp : tcp, isStream: number % 2 == 1))
          _ = send(peer, message, message.count, Int32(MSG_NOSIGNAL))
          peers.append(peer)
        }
        usleep(300_000)
        for peer in peers { close(peer) }
      }
      kill(Self.child(of: process.processIdentifier) ?? process.processIdentifier, SIGTERM)
      process.waitUntilExit()
      let calls = text(trace).split(separator: "\n").filter { $0.contains("(") && !$0.contains("resumed") }
      #expect(calls.filter { !$0.contains("sendto(") } == [], "nothing but replies")
      #expect(calls.filter { call in !Self.replies.contains { call.contains($0) } } == [])
      #expect(calls.count >= asked && asked > 50, "\(calls.count) replies to \(asked) requests")
    }
  }

  /// Where TLS is answered, its records go out and nothing else: a hundred dialogs with OpenSSL's client and with liars.
  @Test(.enabled(if: tool("strace") != nil && tool("openssl") != nil, "strace or openssl is not installed"))
  func nothingGoesOutOfTLSButItsRecords() throws {
    let (strace, openssl) = (try #require(Self.tool("strace")), try #require(Self.tool("openssl")))
    try withFolder { folder in
      let (trace, err) = (folder + "/trace", folder + "/err")
      let arguments = [
        "-f", "-qq", "-s", "8", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", trace, Self.program, "listen",
        "--tcp", "127.0.0.1:0", "--tls", "--family", "Sality", "--sources", "4096", "--timeout", "1",
      ]
      let process = try start(strace, arguments, err: err)
      let tcp = try #require(port("tcp", in: err), "\(text(err))")
      for name in ["one.example", "two.example"] {
        let line = "GET / HTTP/1.0\\r\\n\\r\\n"
        let command = "printf '\(line)' | '\(openssl)' s_client -ign_eof -connect 127.0.0.1:\(tcp) -servername \(name)"
        let client = try start("/bin/sh", ["-c", command + " >/dev/null 2>&1"], err: folder + "/client")
        client.waitUntilExit()
      }
      var random = SystemRandomNumberGenerator()
      var peers: [Int32] = []
      for number in 0..<100 {
        let message: [UInt8] = number % 2 == 0 ? [0x16, 3, 1, 2, 0, 1] : []
        let octets = message + Self.hostile(11 + number % 3, &random)
        let peer = try #require(Self.peer(tcp, isStream: true))
        _ = send(peer, octets, octets.count, Int32(MSG_NOSIGNAL))
        peers.append(peer)
      }
      usleep(1_300_000)
      for peer in peers { close(peer) }
      kill(Self.child(of: process.processIdentifier) ?? process.processIdentifier, SIGTERM)
      process.waitUntilExit()
      let calls = text(trace).split(separator: "\n").filter { $0.contains("(") && !$0.contains("resumed") }
      // Handshake, change of cipher, alert, data (RFC 8446 section 5.1), or a constant reply to a plain request.
      let records = ["\\26\\3", "\\24\\3", "\\25\\3", "\\27\\3", "HTTP/1.1"].map { "\"" + $0 }
      #expect(calls.filter { call in !call.contains("sendto(") || !records.contains { call.contains($0) } } == [])
      #expect(calls.count { $0.contains(records[0]) } >= 2 && calls.count { $0.contains(records[3]) } >= 2, "\(calls)")
    }
  }

  private static func hostile(_ number: Int, _ random: inout SystemRandomNumberGenerator) -> [UInt8] {
    let noise = (0..<Int.random(in: 1...900, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
    switch number % 14 {
    case 0, 1: return join
    case 2: return [1, 2, 3]
    case 3: return Array("GET /shell?cmd=ping HTTP/1.1\r\nHost: a.example\r\n\r\n".utf8)
    case 4: return Array("AXFR".utf8) + noise
    case 5: return Array("GET http://192.0.2.1/ HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n".utf8)
    case 7: return Array("CONNECT 192.0.2.1:25 HTTP/1.1\r\n\r\n".utf8)
    case 9: return [0x16, 3, 1, 2, 0, 1] + noise
    case 11: return Array("NICK n{DE|XPa}abcdefg\r\nUSER x 0 0 :x\r\nPING :1\r\n".utf8)
    case 13: return Array("POST /a HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n".utf8) + noise
    default: return noise
    }
  }

  private static func peer(_ port: UInt16, isStream: Bool) -> Int32? {
    let descriptor = socket(AF_INET, Int32(isStream ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue), 0)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let result = withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    return result == 0 ? descriptor : nil
  }

  /// The traced program itself: its tracer would not hand the signal on.
  private static func child(of parent: Int32) -> Int32? {
    let words = (try? String(contentsOfFile: "/proc/\(parent)/task/\(parent)/children", encoding: .utf8)) ?? ""
    return words.split(separator: " ").first.flatMap { Int32($0) }
  }

  private static var canMakeNamespaces: Bool {
    guard geteuid() == 0, let unshare = tool("unshare"), tool("nft") != nil, tool("ip") != nil, tool("bash") != nil
    else {
      return false
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: unshare)
    process.arguments = ["-n", "true"]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }

  /// The printed lines do what they say, in a network of their own: every port arrives, with its number.
  @Test(.enabled(if: canMakeNamespaces, "needs root, nft and ip"))
  func theFirewallHandsEveryPortOver() throws {
    try withFolder { folder in
      try """
      sinkhole:
        operator: {name: Test, abuse_contact: abuse@example.org}
        addresses: {ipv4: [192.0.2.80]}
        dns: {listen: ["127.0.0.1:5353"], ns: [ns1.example.org]}
        zones: zones.yaml
        listeners:
          - {listen: "0.0.0.0:9999", transport: udp, transparent: true}
          - {listen: "0.0.0.0:9999", transport: tcp, transparent: true}
      """.write(toFile: folder + "/sinkhole.yaml", atomically: true, encoding: .utf8)
      try """
      set -e
      ip link set lo up; ip addr add 192.0.2.80/32 dev lo
      "$1" sinkhole firewall "$2/sinkhole.yaml" > "$2/rules.sh"; sh "$2/rules.sh"
      "$1" listen --udp 0.0.0.0:9999 --tcp 0.0.0.0:9999 --transparent --show --sources 4096 --timeout 1 > "$2/out" 2> "$2/listen.err" &
      for i in $(seq 200); do grep -q "tcp 0.0.0.0" "$2/listen.err" && break; sleep 0.1; done
      printf '\\x61\\x01\\x02\\x98\\x89\\x88\\xcb' > /dev/udp/192.0.2.80/3431
      printf '\\x61\\x01\\x02\\x98\\x89\\x88\\xcb' > /dev/udp/192.0.2.80/5906
      for port in 80 6667 31337; do printf 'P[endof]' > /dev/tcp/192.0.2.80/$port || true; done
      sleep 0.7; kill %1; wait
      """.write(toFile: folder + "/try.sh", atomically: true, encoding: .utf8)
      let process = try start(
        try #require(Self.tool("unshare")), ["-n", "bash", folder + "/try.sh", Self.program, folder],
        err: folder + "/err")
      process.waitUntilExit()
      let out = text(folder + "/out")
      for port in [3431, 5906] {
        #expect(out.contains("> 192.0.2.80:\(port) udp recognised bfbot-join"), "\(out)\(text(folder + "/err"))")
      }
      for port in [80, 6667, 31_337] {
        #expect(out.contains("> 192.0.2.80:\(port) tcp recognised njrat-keepalive"), "\(out)")
      }
    }
  }

  /// Behind the catch-all nobody learns from ICMP which ports are listened on (R23). The same datagrams before it stood draw
  /// messages, so the counter counts.
  @Test(.enabled(if: canMakeNamespaces, "needs root, nft and ip"))
  func datagramsToAnyPortRaiseNoICMP() throws {
    try withFolder { folder in
      try """
      sinkhole:
        operator: {name: Test, abuse_contact: abuse@example.org}
        addresses: {ipv4: [192.0.2.80], ipv6: ["2001:db8::80"]}
        dns: {listen: ["127.0.0.1:5353"], ns: [ns1.example.org]}
        zones: zones.yaml
        listeners:
          - {listen: "0.0.0.0:9999", transport: udp, transparent: true}
          - {listen: "[::]:9999", transport: udp, transparent: true}
      """.write(toFile: folder + "/sinkhole.yaml", atomically: true, encoding: .utf8)
      try """
      unreachable() {
        awk '/^Icmp:/ {if (!n) {for (i = 1; i <= NF; i++) if ($i == "OutDestUnreachs") n = i} else a = $n}
          /^Icmp6OutDestUnreachs/ {b = $2} END {print a + 0, b + 0}' /proc/net/snmp /proc/net/snmp6
      }
      send() { for port in $(seq 2000 23 8900); do printf x > /dev/udp/$1/$port; done; } 2>/dev/null
      exec > "$2/counts"
      ip link set lo up; ip addr add 192.0.2.80/32 dev lo; ip -6 addr add 2001:db8::80/128 dev lo nodad
      echo "0 $(unreachable)"
      send 192.0.2.80; send 2001:db8::80; sleep 0.3
      echo "1 $(unreachable)"
      "$1" sinkhole firewall "$2/sinkhole.yaml" > "$2/rules.sh"; sh "$2/rules.sh"
      "$1" listen --udp 0.0.0.0:9999 --udp "[::]:9999" --transparent --sources 4096 --metrics 127.0.0.1:9464 > /dev/null 2> "$2/listen.err" &
      for i in $(seq 200); do grep -q "udp \\[::\\]" "$2/listen.err" && break; sleep 0.1; done
      send 192.0.2.80; send 2001:db8::80; sleep 0.7
      echo "2 $(unreachable)"
      exec 3<> /dev/tcp/127.0.0.1/9464; printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3
      grep ^mothlight_sinkhole_datagrams_total <&3 > "$2/arrived"
      kill %1; wait
      """.write(toFile: folder + "/try.sh", atomically: true, encoding: .utf8)
      let process = try start(
        try #require(Self.tool("unshare")), ["-n", "bash", folder + "/try.sh", Self.program, folder],
        err: folder + "/err")
      process.waitUntilExit()
      let counts = text(folder + "/counts").split(separator: "\n").map {
        $0.split(separator: " ").compactMap { Int($0) }
      }
      #expect(counts.count == 3 && counts.allSatisfy { $0.count == 3 }, "\(counts) \(text(folder + "/err"))")
      guard counts.count == 3, counts.allSatisfy({ $0.count == 3 }) else { return }
      #expect(counts[1][1] - counts[0][1] >= 20 && counts[1][2] - counts[0][2] >= 20, "\(counts)")
      #expect(counts[2][1] == counts[1][1] && counts[2][2] == counts[1][2], "\(counts)")
      // Silence is no proof if nobody listened.
      let arrived = text(folder + "/arrived").split(whereSeparator: \.isWhitespace).last.flatMap { Int($0) }
      #expect(arrived == 602, "\(text(folder + "/listen.err"))")
    }
  }

  /// Ports first, then no way back to root.
  @Test(.enabled(if: geteuid() == 0 && getpwnam("nobody") != nil, "needs root and the user nobody"))
  func privilegesAreDropped() throws {
    try withFolder { folder in
      chmod(folder, 0o755)
      let arguments = ["listen", "--tcp", "127.0.0.1:0", "--sources", "4096", "--user", "nobody"]
      let process = try start(Self.program, arguments, err: folder + "/err")
      _ = try #require(port("tcp", in: folder + "/err"), "\(text(folder + "/err"))")
      let status = text("/proc/\(process.processIdentifier)/status")
      kill(process.processIdentifier, SIGTERM)
      process.waitUntilExit()
      let nobody = try #require(getpwnam("nobody")).pointee.pw_uid
      #expect(status.contains("Uid:\t\(nobody)\t\(nobody)\t\(nobody)\t\(nobody)\n"), "\(status)")
      #expect(status.contains("NoNewPrivs:\t1\n") && status.contains("Groups:\t \n"), "\(status)")
      #expect(status.contains("CapEff:\t0000000000000000\n"))
    }
  }

  @Test func badConfigurationsHaveOneLine() throws {
    try withFolder { folder in
      let err = folder + "/err"
      for arguments in [["listen", "--udp", "nowhere"], ["listen"], ["sinkhole", "firewall", folder + "/none.yaml"]] {
        let process = try start(Self.program, arguments, err: err)
        process.waitUntilExit()
        #expect(process.terminationStatus == 2)
        #expect(text(err).split(separator: "\n").count == 1, "\(text(err))")
      }
    }
  }
}
