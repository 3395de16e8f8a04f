import Mothlight

/// What a query says, read once from its octets (RFC 1035 section 4, RFC 6891). No allocation: names stay where they are,
/// and their lower-case form goes to a scratch of the answerer.
struct DNSQuery {
  /// What can be done with it.
  enum Shape {
    /// A question of class and type.
    case question
    /// No question, but a cookie: asks for a server cookie alone (RFC 7873 section 5.4).
    case cookieOnly
    /// Has to be answered FORMERR; the question stands, or nothing does (`questionEnd` is then 12).
    case malformed
    /// An EDNS version that nobody knows yet.
    case badVersion
    /// Signed by a key that is not ours (RFC 8945 section 5.2).
    case signed
  }

  enum Cookie {
    case none
    /// The client's half.
    case client
    /// Both halves; `serverCookie` says where the server's begins.
    case both
  }

  enum Bound {
    /// Records after the question: OPT and TSIG are all that a query may carry.
    static let records = 4
    /// EDNS options of a query.
    static let options = 32
  }

  var id: UInt16 = 0
  /// The second 16 bits of the header.
  var flags: UInt16 = 0
  /// Where the question ends; 12 when there is none.
  var questionEnd = 12
  /// Octets of the name, the root's included, and its labels.
  var nameLength = 0
  var labels = 0
  var type: UInt16 = 0
  var `class`: UInt16 = 0

  var hasOPT = false
  var payload: UInt16 = 0
  var wantsDNSSEC = false
  var wantsNSID = false
  var cookie = Cookie.none
  /// Offsets into the query.
  var clientCookie = 0
  var serverCookie = 0
  var serverCookieLength = 0
  /// Whom a resolver asks for (RFC 7871), without the host's bits.
  var subnet: ClientSubnet?

  var opcode: UInt16 { flags >> 11 & 15 }
  var isResponse: Bool { flags & 0x8000 != 0 }
}

/// The network for which a resolver asks (RFC 7871): an address without its host's bits, and how many bits are given.
public struct ClientSubnet: Sendable, Hashable {
  public var address: IPAddress
  public var bits: UInt8

  public init(address: IPAddress, bits: UInt8) {
    self.address = address
    self.bits = bits
  }
}

/// The name of a query in lower case, and where its labels begin.
struct QueryName {
  let octets: UnsafeMutablePointer<UInt8>
  let starts: UnsafeMutablePointer<UInt8>
}

extension DNSQuery {
  /// Reads a query of at least 12 octets with opcode 0 whose QR bit is clear.
  static func read(_ bytes: UnsafeRawBufferPointer, _ name: QueryName, into query: inout DNSQuery) -> Shape {
    let questions = bytes.network16(4)
    guard questions <= 1, bytes.network16(6) == 0 else { return .malformed }
    let isTransfer: Bool
    if questions == 1 {
      guard query.readQuestion(bytes, name) else { return .malformed }
      isTransfer = query.type == 251 || query.type == 252
    } else {
      isTransfer = false
    }
    // An incremental transfer carries the SOA that it knows; it is refused all the same, and nothing after it is read.
    if bytes.network16(8) != 0 { return isTransfer ? .question : .malformed }
    let shape = query.readAdditional(bytes)
    if shape == .question, questions == 0 { return query.cookie == .none ? .malformed : .cookieOnly }
    return shape
  }

  private mutating func readQuestion(_ bytes: UnsafeRawBufferPointer, _ name: QueryName) -> Bool {
    var at = 12
    var count = 0
    while true {
      guard at < bytes.count else { return false }
      let length = Int(bytes[at])
      // A query's only name has nothing before it to point at: every pointer is an error.
      guard length <= 63, at &+ length < bytes.count, at &- 12 &+ length &+ 1 < 256 else { return false }
      let start = at &- 12
      name.octets[start] = UInt8(truncatingIfNeeded: length)
      if length == 0 { break }
      name.starts[count] = UInt8(truncatingIfNeeded: start)
      count &+= 1
      var i = at &+ 1
      let end = at &+ 1 &+ length
      while i < end {
        let byte = bytes[i]
        name.octets[i &- 12] = byte &- 0x41 < 26 ? byte | 0x20 : byte
        i &+= 1
      }
      at = end
    }
    guard at &+ 5 <= bytes.count, at &- 11 <= 255 else { return false }
    labels = count
    nameLength = at &- 11
    type = bytes.network16(at &+ 1)
    `class` = bytes.network16(at &+ 3)
    questionEnd = at &+ 5
    return true
  }

  /// Over the additional records, which hold OPT or a signature; then the message must end.
  private mutating func readAdditional(_ bytes: UnsafeRawBufferPointer) -> Shape {
    let count = Int(bytes.network16(10))
    guard count <= Bound.records else { return .malformed }
    var at = questionEnd
    var shape = Shape.question
    for index in 0..<count {
      guard let fixed = Self.skipName(bytes, at), fixed &+ 10 <= bytes.count else { return .malformed }
      let type = bytes.network16(fixed)
      let length = Int(bytes.network16(fixed &+ 8))
      guard fixed &+ 10 &+ length <= bytes.count else { return .malformed }
      if type == 41 {
        guard !hasOPT, fixed == at &+ 1 else { return .malformed }
        let found = readOPT(bytes, fixed, length)
        if found != .question { shape = found }
        if found == .malformed { return .malformed }
      } else if type == 250 {
        guard index &+ 1 == count else { return .malformed }
        if shape == .question { shape = .signed }
      }
      at = fixed &+ 10 &+ length
    }
    // What follows the counted records belongs to no message.
    return at == bytes.count ? shape : .malformed
  }

  private static func skipName(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int? {
    var at = start
    while at < bytes.count, at &- start < 256 {
      let length = Int(bytes[at])
      if length == 0 { return at &+ 1 }
      if length >= 0xc0 { return at &+ 2 }
      guard length <= 63 else { return nil }
      at &+= length &+ 1
    }
    return nil
  }

  /// - Parameter fixed: where the record's type stands.
  private mutating func readOPT(_ bytes: UnsafeRawBufferPointer, _ fixed: Int, _ length: Int) -> Shape {
    hasOPT = true
    payload = bytes.network16(fixed &+ 2)
    wantsDNSSEC = bytes[fixed &+ 6] & 0x80 != 0
    if bytes[fixed &+ 5] != 0 { return .badVersion }
    var at = fixed &+ 10
    let end = at &+ length
    var options = 0
    while at < end {
      guard at &+ 4 <= end, options < Bound.options else { return .malformed }
      let code = bytes.network16(at)
      let size = Int(bytes.network16(at &+ 2))
      let value = at &+ 4
      guard value &+ size <= end else { return .malformed }
      switch code {
      case 3: wantsNSID = true
      case 8: guard readSubnet(bytes, value, size) else { return .malformed }
      case 10:
        // Only the first counts (RFC 7873 section 5.2).
        if cookie != .none { break }
        guard size == 8 || (size >= 16 && size <= 40) else { return .malformed }
        cookie = size == 8 ? .client : .both
        (clientCookie, serverCookie, serverCookieLength) = (value, value &+ 8, size &- 8)
      default: break
      }
      options &+= 1
      at = value &+ size
    }
    return .question
  }

  /// `false` for what RFC 7871 section 7.1.2 wants refused.
  private mutating func readSubnet(_ bytes: UnsafeRawBufferPointer, _ at: Int, _ size: Int) -> Bool {
    guard size >= 4 else { return false }
    let family = bytes.network16(at)
    let bits = Int(bytes[at &+ 2])
    let octets = size &- 4
    guard bytes[at &+ 3] == 0, octets == (bits &+ 7) / 8 else { return false }
    guard family == 1 ? bits <= 32 : family == 2 && bits <= 128 else { return false }
    if octets > 0, bits & 7 != 0, bytes[at &+ 3 &+ octets] & (0xff >> UInt8(truncatingIfNeeded: bits & 7)) != 0 {
      return false
    }
    var (high, low): (UInt64, UInt64) = (0, 0)
    for i in 0..<octets {
      let byte = UInt64(bytes[at &+ 4 &+ i])
      let place = family == 1 ? i &+ 12 : i
      if place < 8 { high |= byte << UInt64(56 &- 8 &* place) } else { low |= byte << UInt64(120 &- 8 &* place) }
    }
    if family == 1 { low |= 0xffff_0000_0000 }
    // "No subnet, please" is none.
    subnet = bits == 0 ? nil : ClientSubnet(address: IPAddress(high: high, low: low), bits: UInt8(bits))
    return true
  }
}

extension UnsafeRawBufferPointer {
  /// Callers check the length.
  @inline(__always)
  func network16(_ at: Int) -> UInt16 { loadUnaligned(fromByteOffset: at, as: UInt16.self).bigEndian }
}
