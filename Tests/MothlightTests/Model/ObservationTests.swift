import Testing

@testable import Mothlight

@Suite struct ObservationTests {
  private static let time = Timestamp(seconds: 1_700_000_000)
  private static let flow = Observation.Event.flow(
    Flow(
      source: IPAddress(v4: 1), destination: IPAddress(v4: 2), sourcePort: 3, destinationPort: 4, transport: .tcp,
      first: time, last: time))
  private static let lookup = Observation.Event.dns(
    DNSLookup(
      ends: Endpoints(
        client: IPAddress(v4: 1), server: IPAddress(v4: 2), clientPort: 3, serverPort: 53, transport: .udp),
      name: "example.org", type: 1))

  /// Shards copy what is called a flow as octets, which would lose count of another event's references.
  @Test func theFlagSaysWhatTheEventIs() {
    var lying = Vantage()
    lying.flags = [.flow, .located, .hostIsDestination, .firstContact]
    var one = Observation(time: Self.time, event: Self.lookup, vantage: lying)
    #expect(one.vantage.flags == .firstContact)
    one.event = Self.flow
    #expect(one.vantage.flags == [.firstContact, .flow])
    one.vantage.flags.insert(.located)
    one.event = Self.lookup
    #expect(one.vantage.flags == .firstContact)
    #expect(Observation(time: Self.time, event: Self.flow).vantage.flags == .flow)
  }
}
