import CLinux
import Mothlight
import Testing

@testable import MothlightStation

@Suite struct CaptureFilterTests {
  private static let a: UInt32 = 0x0a00_0005
  private static let b: UInt32 = 0xc000_0207

  private func takes(_ text: String, _ frame: [UInt8]) throws -> Bool {
    let program = try #require(FilterProgram.compile(CaptureFilter(text), base: .ethernet, snapOctets: 1000))
    return FilterMachine.run(program, frame) == 1000
  }

  private func udp(_ source: Int, _ destination: Int) -> [UInt8] {
    Frames.ethernet(Frames.v4(Frames.udp(source, destination), Self.a, Self.b, transport: 17))
  }
  private func tcp(_ source: Int, _ destination: Int) -> [UInt8] {
    Frames.ethernet(Frames.v4(Frames.tcp(source, destination, flags: 2, 1), Self.a, Self.b, transport: 6))
  }

  @Test(arguments: [
    ("udp port 53", true), ("port 53", true), ("udp dst port 53", true), ("udp src port 53", false),
    ("tcp port 53", false), ("not tcp", true), ("host 10.0.0.5", true), ("src host 10.0.0.5", true),
    ("dst host 10.0.0.5", false), ("src 10.0.0.5 and dst 192.0.2.7", true), ("net 10.0.0.0/8", true),
    ("dst net 10.0.0.0/8", false), ("net 192.0.2.0/24", true), ("src or dst net 192.0.2.0/29", true),
    ("portrange 50-60", true), ("portrange 54-60", false), ("port 80 or 53", true), ("port 80 or 443", false),
    ("not (port 80 or 53)", false), ("! port 80 && ip", true), ("ip6", false), ("arp", false), ("icmp", false),
    ("host 2001:db8::1", false), ("10.0.0.5", true), ("src and dst net 0.0.0.0/0", true), ("less 60", true),
    ("greater 60", false), ("udp or tcp and port 80", false), ("port 80 and tcp or udp", true),
  ])
  func aLookUp(text: String, isTaken: Bool) throws { #expect(try takes(text, udp(40_000, 53)) == isTaken) }

  @Test func fragmentsAndOptions() throws {
    let options = Frames.ethernet(Frames.v4(Frames.udp(1, 53), Self.a, Self.b, transport: 17, options: 3))
    #expect(try takes("udp port 53", options))
    let later = Frames.ethernet(Frames.v4(Frames.udp(1, 53), Self.a, Self.b, transport: 17, fragment: 100))
    #expect(try !takes("udp port 53", later) && takes("udp", later))
  }

  /// What ends before what is asked for is not taken, whatever the filter: libpcap's unless its optimiser leaves a load out.
  @Test func shortFrames() throws {
    let whole = udp(40_000, 53)
    for count in 0..<36 { #expect(try !takes("udp port 53", Array(whole.prefix(count)))) }
    #expect(try takes("udp port 53", whole))
  }

  @Test func versionSix() throws {
    let source: [UInt8] = [0x20, 1, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [1]
    let other = [UInt8](source.dropLast()) + [2]
    let frame = Frames.ethernet(Frames.v6(Frames.udp(9, 53), source, other, next: 17), type: 0x86dd)
    for text in ["ip6", "udp", "port 53", "host 2001:db8::1", "src net 2001:db8::/32", "ip6 dst host 2001:db8::2"] {
      #expect(try takes(text, frame), "\(text)")
    }
    for text in ["ip", "tcp", "src host 2001:db8::2", "net 2001:db9::/32", "ip port 53"] {
      #expect(try !takes(text, frame), "\(text)")
    }
  }

  /// Behind no link header the kernel says what a frame is.
  @Test func cookedFrames() throws {
    let packet = Frames.v4(Frames.udp(9, 53), Self.a, Self.b, transport: 17)
    let program = try #require(FilterProgram.compile(CaptureFilter("udp port 53"), base: .network, snapOctets: 9))
    #expect(FilterMachine.run(program, packet, protocol: 0x0800) == 9)
    #expect(FilterMachine.run(program, packet, protocol: 0x0806) == 0)
    #expect(try FilterProgram.compile(CaptureFilter("udp"), base: .other, snapOctets: 9) == nil)
    #expect(FilterProgram.compile(nil, base: .other, snapOctets: 9)?.count == 1)
  }

  @Test(arguments: [
    ("", 1, "empty"), ("port", 5, "missing"), ("port http", 6, "no port"), ("port 70000", 6, "no port"),
    ("host example.org", 6, "not looked up"), ("net 10.0.0.0", 5, "write it as"), ("portrange 9-5", 11, "no range"),
    ("tcp and", 8, "missing at the end"), ("(tcp", 5, "not closed"), ("tcp)", 4, "does not belong"),
    ("tcp udp", 5, "does not belong"), ("ip host 2001:db8::1", 9, "other IP version"),
    ("tcp host 10.0.0.1", 10, "no transport"), ("less many", 6, "number of octets"), ("vlan 5", 1, "no word"),
  ])
  func mistakesAreToldWithTheirPlace(text: String, column: Int, words: String) {
    do {
      _ = try CaptureFilter(text)
      Issue.record("\(text) was taken")
    } catch {
      #expect(error.column == column && error.message.contains(words), "\(error)")
    }
  }

  @Test func nestingAndLengthAreBounded() throws {
    let deep = String(repeating: "(", count: 100) + "tcp" + String(repeating: ")", count: 100)
    #expect(throws: CaptureFilterError.self) { _ = try CaptureFilter(deep) }
    #expect(throws: CaptureFilterError.self) { _ = try CaptureFilter(String(repeating: "not ", count: 100) + "tcp") }
    #expect(throws: CaptureFilterError.self) {
      _ = try CaptureFilter(Array(repeating: "tcp", count: 600).joined(separator: " or "))
    }
    // More than the kernel takes.
    let long = (0..<250).map { "port \($0)" }.joined(separator: " or ")
    #expect(try FilterProgram.compile(CaptureFilter(long), base: .ethernet, snapOctets: 9) == nil)
  }

  /// A filter of some length needs jumps that no single condition reaches.
  @Test func longJumps() throws {
    let text = (0..<90).map { "host 10.9.0.\($0)" }.joined(separator: " or ") + " or udp port 53"
    #expect(try takes(text, udp(1, 53)))
    #expect(try !takes(text, udp(1, 54)))
    #expect(try takes("not (\(text))", udp(1, 54)))
    #expect(try takes("host 10.9.0.1 or (\(text))", udp(1, 53)))
  }

  // MARK: libpcap as the judge

  private static func frame(_ random: inout FixedLottery) -> [UInt8] {
    let v4: [UInt32] = [0x0a00_0001, 0x0a00_0002, 0xc000_0201, 0xc000_0302]
    let v6: [[UInt8]] = (1...3).map { [0x20, 1, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [$0] }
    let ports = [53, 80, 443, 6667, 40_000]
    func pick<T>(_ from: [T]) -> T { from[Int(random.next() % UInt64(from.count))] }
    let transport: UInt8 = pick([6, 17, 132, 1, 58, 47])
    var body: [UInt8]
    switch transport {
    case 6: body = Frames.tcp(pick(ports), pick(ports), flags: 2, 1)
    case 17, 132: body = Frames.udp(pick(ports), pick(ports), [UInt8](repeating: 9, count: Int(random.next() % 60)))
    default: body = [UInt8](repeating: 8, count: 40)
    }
    let frame: [UInt8]
    if random.next() % 3 > 0 {
      let fragment = pick([0, 0, 0, 0x2000, 0x2005, 0x4000])
      frame = Frames.ethernet(
        Frames.v4(body, pick(v4), pick(v4), transport: transport, options: pick([0, 0, 1, 10]), fragment: fragment))
    } else {
      let isFragment = random.next() % 4 == 0
      if isFragment { body = [transport, 0, 0, 0, 0, 0, 0, 7] + body }
      frame = Frames.ethernet(Frames.v6(body, pick(v6), pick(v6), next: isFragment ? 44 : transport), type: 0x86dd)
    }
    return frame
  }

  private static func text(_ random: inout FixedLottery, _ depth: Int = 0) -> String {
    func pick(_ from: [String]) -> String { from[Int(random.next() % UInt64(from.count))] }
    if depth < 3, random.next() % 2 == 0 {
      let inside = text(&random, depth + 1)
      switch random.next() % 4 {
      case 0: return "not \(inside.contains(" ") ? "(\(inside))" : inside)"
      case 1: return "(\(inside)) and \(text(&random, depth + 1))"
      default: return "\(inside) \(pick(["and", "or"])) \(text(&random, depth + 1))"
      }
    }
    let direction = pick(["", "src ", "dst ", "src or dst ", "src and dst "])
    switch random.next() % 6 {
    case 0: return pick(["ip", "ip6", "tcp", "udp", "sctp", "icmp", "icmp6", "arp", "less 70", "greater 90"])
    case 1: return direction + "host " + pick(["10.0.0.1", "192.0.2.1", "2001:db8::1", "2001:db8::3"])
    case 2: return direction + "net " + pick(["10.0.0.0/8", "192.0.2.0/23", "2001:db8::/32", "2001:db8::2/127"])
    case 3: return pick(["", "tcp ", "udp ", "sctp "]) + direction + "port " + pick(["53", "80", "6667"])
    case 4: return pick(["", "tcp ", "udp "]) + direction + "portrange " + pick(["50-90", "80-443", "6660-6669"])
    default: return pick(["ip ", "ip6 "]) + direction + "port " + pick(["53", "443"])
    }
  }

  /// The same frames as libpcap takes, over random filters and random whole frames.
  @Test(.enabled(if: Libpcap.isThere, "libpcap is not installed"))
  func agreesWithLibpcap() throws {
    let judge = try #require(Libpcap())
    var random = FixedLottery(2026)
    let frames = (0..<400).map { _ in Self.frame(&random) }
    var (taken, refused, filters) = (0, 0, 0)
    for _ in 0..<1500 {
      let text = Self.text(&random)
      let program = try #require(
        FilterProgram.compile(try CaptureFilter(text), base: .ethernet, snapOctets: 262_144), "\(text)")
      // libpcap refuses what can never match.
      guard let oracle = judge.program(text) else { continue }
      defer { oracle.deallocate() }
      filters += 1
      for frame in frames {
        let ours = FilterMachine.run(program, frame) != 0
        let theirs = judge.takes(frame, oracle)
        if ours != theirs { Issue.record("\(text): we \(ours), libpcap \(theirs): \(frame.prefix(60))") }
        if ours { taken += 1 } else { refused += 1 }
      }
    }
    #expect(
      filters > 900 && taken > 50_000 && refused > 50_000, "\(filters) filters, \(taken) taken, \(refused) refused")
  }
}
