/// The TCP flags seen from both sides of a flow, and what they say about how far it got (RFC 9293 section 3.3.2).
struct FlagPair {
  static let fin: UInt8 = 1
  static let syn: UInt8 = 2
  static let reset: UInt8 = 4
  static let push: UInt8 = 8
  static let ack: UInt8 = 16

  var source: UInt8
  var destination: UInt8

  /// Letters as Argus, nfdump and Zeek print them; `nil` when there is a letter that is no flag.
  static func letters(_ text: some Sequence<UInt8>) -> UInt8? {
    var flags: UInt8 = 0
    for letter in text {
      switch letter {
      case 0x46: flags |= fin
      case 0x53: flags |= syn
      case 0x52: flags |= reset
      case 0x50: flags |= push
      case 0x41: flags |= ack
      case 0x55: flags |= 32
      case 0x45: flags |= 64
      case 0x43: flags |= 128
      case 0x2e: break
      default: return nil
      }
    }
    return flags
  }

  /// - Parameter beganInView: the sensor knows which side began, so a flow without SYN is a further record of it.
  func state(beganInView: Bool) -> ConnectionState {
    let both = source | destination
    guard destination != 0 else {
      // An acknowledgement without anything to acknowledge: the other direction went another way.
      return source & Self.ack != 0 || source & Self.syn == 0 ? .midstream : .unanswered
    }
    guard source != 0 else { return .midstream }
    if destination & Self.reset != 0, destination & Self.syn == 0, both & Self.push == 0, source & Self.syn != 0 {
      return .refused
    }
    if both & Self.syn == 0, !beganInView { return .midstream }
    if source & destination & Self.fin != 0 { return .closed }
    if both & Self.reset != 0 { return .reset }
    return both & Self.fin != 0 ? .closed : .established
  }
}
