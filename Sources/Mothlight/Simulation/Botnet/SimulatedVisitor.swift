/// Somebody who comes to a sinkhole without being infected, in one of the ways that sinkholes report (sinkhole.md section 2).
struct SimulatedVisitor: Sendable {
  let kind: VisitorClass
  let number: Int
  private let address: UInt32
  private let draw: UInt64

  /// Addresses of visitors follow those of the machines.
  static func all(of scenario: BotnetScenario, firstAddress: UInt32) -> [SimulatedVisitor] {
    var out: [SimulatedVisitor] = []
    for kind in VisitorClass.allCases {
      for _ in 0..<(scenario.visitors[kind] ?? 0) {
        let number = out.count
        out.append(
          SimulatedVisitor(
            kind: kind, number: number, address: firstAddress &+ UInt32(truncatingIfNeeded: number) &* 3,
            draw: RandomSource.mix(scenario.seed ^ UInt64(number) &* 0xa076_1d64_78bd_642f)))
      }
    }
    return out
  }

  /// What it does in an hour of the window.
  func contacts(in hour: Int, firstHour: Int, sensors: Int) -> [BotnetSimulation.Contact] {
    let today = RandomSource.mix(draw ^ UInt64(hour) &* 0xe703_7ed1_a0b4_28db)
    guard isHere(hour, today) else { return [] }
    var contact = BotnetSimulation.Contact(
      sensor: Int(today >> 8 % UInt64(max(1, sensors))), hour: firstHour + hour, source: source(hour), network: nil,
      identity: 0, fingerprint: UInt16(draw % 211), contacts: 1, first: Int(today >> 16 % 1800),
      last: 1800 + Int(today >> 32 % 1800), level: .connected, visitor: kind, visitorNumber: number)
    switch kind {
    case .scanner: contact.contacts = 1 + UInt32(today >> 48 % 3)
    case .crawler: contact.contacts = 1 + UInt32(today >> 48 % 20)
    case .referer, .hosting: contact.level = .shaped
    case .sandbox:
      // Runs the program for some minutes, with an identity that is never seen again.
      contact.level = .recognised
      contact.identity = today | 1
      contact.contacts = 1 + UInt32(today >> 48 % 4)
      contact.last = min(3599, contact.first + 600)
    case .researcher:
      contact.level = .recognised
      contact.identity = draw | 1
      contact.contacts = 4 + UInt32(today >> 48 % 12)
    }
    if contact.contacts == 1 { contact.last = contact.first }
    return [contact]
  }

  private func isHere(_ hour: Int, _ today: UInt64) -> Bool {
    switch kind {
    case .scanner: today % 24 == 0
    case .crawler: today % 5 == 0
    case .sandbox: today % 30 == 0
    case .researcher: Int(draw % 48) <= hour % 96 && today % 2 == 0
    case .referer: today % 40 == 0
    case .hosting: true
    }
  }

  /// Scanners and sandboxes come from another address each day.
  private func source(_ hour: Int) -> IPAddress {
    let moves = kind == .scanner || kind == .sandbox
    return IPAddress(v4: address &+ (moves ? UInt32(hour / 24) &* 1_000_003 : 0))
  }
}
