import Testing

@testable import Mothlight

private typealias P = PacketFixture

@Suite struct PacketHeadersTests {
  private let segment = P.tcp([1, 2, 3], flags: TCPFlag.ack)

  private func expectPorts(_ bytes: [UInt8], _ link: LinkType = .ethernet) {
    let (outcome, headers) = P.decode(bytes, link: link)
    #expect(outcome == .decoded)
    #expect(headers.sourcePort == 40_000 && headers.destinationPort == 80)
    #expect(headers.payloadOctets == 3 && headers.payloadCaptured == 3)
  }

  @Test func linkTypesLeadToTheSamePacket() {
    let ip = P.ipv4(segment)
    expectPorts(P.ethernet(ip))
    expectPorts(P.ethernet([0x00, 0x64, 0x08, 0x00] + ip, type: 0x8100))
    expectPorts(P.ethernet([0x00, 0x64, 0x81, 0x00, 0x00, 0x65, 0x08, 0x00] + ip, type: 0x88a8))
    expectPorts(P.ethernet([0, 0, 0x11, 0x40] + ip, type: 0x8847).replacingMPLSBottom())
    expectPorts(P.ethernet([0x11, 0, 0, 1, 0, 0, 0x00, 0x21] + ip, type: 0x8864))
    expectPorts(ip, .raw)
    expectPorts([2, 0, 0, 0] + ip, .null)
    expectPorts([0, 0, 0, 2] + ip, .loop)
    expectPorts([0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 0x08, 0x00] + ip, .linuxCooked)
    expectPorts([0x08, 0x00] + [UInt8](repeating: 0, count: 18) + ip, .linuxCooked2)
    expectPorts([0xff, 0x03, 0x00, 0x21] + ip, .ppp)
    expectPorts([0x21] + ip, .ppp)
    let snap: [UInt8] = [0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x00]
    expectPorts([0x08, 0] + [UInt8](repeating: 0, count: 22) + snap + ip, .ieee80211)
    expectPorts([0, 0, 8, 0, 0, 0, 0, 0] + [0x08, 0] + [UInt8](repeating: 0, count: 22) + snap + ip, .radiotap)
  }

  @Test func ipv4OptionsAndIPv6ExtensionsAreSkipped() {
    expectPorts(P.ethernet(P.ipv4(segment, options: [1, 1, 1, 0])))
    let a = IPAddress("2001:db8::1") ?? .unspecified
    let b = IPAddress("2001:db8::2") ?? .unspecified
    let hopByHop: [UInt8] = [60, 0, 1, 4, 0, 0, 0, 0]
    let destination: [UInt8] = [6, 0, 1, 4, 0, 0, 0, 0]
    expectPorts(P.ethernet(P.ipv6(hopByHop + destination + segment, from: a, to: b, next: 0), type: 0x86dd))
  }

  @Test func tunnelsAreUnwrappedTwoDeep() {
    let inner = P.ipv4(segment)
    expectPorts(P.ethernet(P.ipv4([0, 0, 0x08, 0x00] + inner, transport: 47)))
    expectPorts(P.ethernet(P.ipv4(inner, transport: 4)))
    expectPorts(P.ethernet(P.ipv4(P.ipv4(inner, transport: 4), transport: 4)))
    expectPorts(P.ethernet(P.ipv4(P.udp([8, 0, 0, 0, 0, 0, 1, 0] + P.ethernet(inner), to: 4789), transport: 17)))
    let (outcome, headers) = P.decode(
      P.ethernet(P.ipv4(P.ipv4(P.ipv4(inner, transport: 4), transport: 4), transport: 4)))
    #expect(outcome == .decoded)
    #expect(headers.anomalies.contains(.nestingTooDeep) && headers.transport.rawValue == 4)
  }

  @Test func snapLengthKeepsOctetCounts() {
    let whole = P.ethernet(P.ipv4(P.tcp([UInt8](repeating: 0, count: 1000), flags: TCPFlag.ack)))
    let (outcome, headers) = P.decode(Array(whole[0..<68]))
    #expect(outcome == .decoded)
    #expect(headers.ipOctets == 1040 && headers.payloadOctets == 1000 && headers.payloadCaptured == 14)
    #expect(headers.anomalies.contains(.truncatedByCapture))
  }

  /// Property: any cut of any frame decodes or is refused, and never claims octets that are not there.
  @Test func everyCutIsSafe() {
    let ip = P.ipv4(segment)
    let a = IPAddress("2001:db8::1") ?? .unspecified
    let frames: [([UInt8], LinkType)] = [
      (P.ethernet(ip), .ethernet), (P.ethernet([0, 1, 8, 0] + ip, type: 0x8100), .ethernet),
      (P.ethernet(P.ipv6([17, 0, 0, 0, 0, 0, 0, 0] + P.udp([1]), from: a, to: a, next: 60), type: 0x86dd), .ethernet),
      (P.ethernet(P.ipv4([0x30, 0, 0x08, 0] + [UInt8](repeating: 0, count: 8) + ip, transport: 47)), .ethernet),
      ([0, 0, 8, 0, 0, 0, 0, 0] + [UInt8](repeating: 8, count: 40) + ip, .radiotap), (ip, .raw),
      ([2, 0, 0, 0] + ip, .null),
    ]
    for (frame, link) in frames {
      for cut in 0...frame.count {
        let (outcome, headers) = P.decode(Array(frame[0..<cut]), link: link)
        if outcome == .decoded { #expect(headers.payloadOffset + headers.payloadCaptured <= cut) }
      }
    }
  }

  /// Property: random octets on every link type.
  @Test func randomOctetsAreSafe() {
    var random = SeededGenerator(11)
    for link in LinkType.supported.sorted(by: { $0.rawValue < $1.rawValue }) {
      for _ in 0..<2000 {
        var bytes = (0..<Int(random.next() % 120)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        if bytes.count > 15, random.next() % 2 == 0 {
          bytes[12] = 8
          bytes[13] = 0
          bytes[14] = 0x45
        }
        let (outcome, headers) = P.decode(bytes, link: link)
        if outcome == .decoded { #expect(headers.payloadOffset + headers.payloadCaptured <= bytes.count) }
      }
    }
  }
}

extension [UInt8] {
  /// Sets the bottom-of-stack bit of the single MPLS label after an Ethernet header.
  fileprivate func replacingMPLSBottom() -> [UInt8] {
    var copy = self
    copy[16] |= 1
    return copy
  }
}
