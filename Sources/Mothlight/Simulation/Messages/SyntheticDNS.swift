/// A look-up as it goes on the wire and into dns.log (RFC 1035).
struct SyntheticDNS: Sendable {
  var identifier: UInt16
  var name: String
  var type: Kind
  var responseCode: UInt8
  var addresses: [IPAddress] = []
  /// Exchanger names of an MX answer, by preference.
  var exchangers: [String] = []
  /// Character strings of a TXT answer, 1 to 255 octets each.
  var texts: [String] = []
  var ttlSeconds: Int
  /// No answer was seen.
  var isUnanswered = false

  enum Kind: Int, Sendable {
    case a = 1
    case ptr = 12
    case mx = 15
    case txt = 16

    var name: String {
      switch self {
      case .a: "A"
      case .ptr: "PTR"
      case .mx: "MX"
      case .txt: "TXT"
      }
    }
  }

  /// Labels of 1 to 63 letters, digits, '-' or '_', at most 253 octets together (RFC 1123 section 2.1; '_' as in RFC 2782).
  static func isName(_ text: String) -> Bool {
    guard !text.isEmpty, text.utf8.count <= 253 else { return false }
    return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
      (1...63).contains(label.utf8.count)
        && label.utf8.allSatisfy { byte in
          switch byte {
          case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x5f: true
          default: false
          }
        }
    }
  }

  /// What the answer holds beside addresses, as dns.log writes it.
  var answerWords: [String] { exchangers + texts.map { "TXT \($0.utf8.count) \($0)" } }

  var query: [UInt8] {
    var out = header(flags: 0x0100, answers: 0)
    question(&out)
    return out.octets
  }

  /// Recursive answer; the owner name is a pointer to the question (section 4.1.4).
  var answer: [UInt8] {
    let answers = addresses.count + exchangers.count + texts.count
    var out = header(flags: 0x8180 | Int(responseCode), answers: answers)
    question(&out)
    for address in addresses { record(&out, type: 1) { $0.bytes(address.networkBytes) } }
    for (index, exchanger) in exchangers.enumerated() {
      record(&out, type: 15) {
        $0.u16((index + 1) * 10)
        Self.encode(exchanger, into: &$0)
      }
    }
    for text in texts { record(&out, type: 16) { $0.prefixed(1) { $0.text(text) } } }
    return out.octets
  }

  private func header(flags: Int, answers: Int) -> OctetBuilder {
    var out = OctetBuilder()
    for word in [Int(identifier), flags, 1, answers, 0, 0] { out.u16(word) }
    return out
  }

  private func question(_ out: inout OctetBuilder) {
    Self.encode(name, into: &out)
    out.u16(type.rawValue)
    out.u16(1)
  }

  private func record(_ out: inout OctetBuilder, type: Int, _ body: (inout OctetBuilder) -> Void) {
    out.u16(0xc00c)
    out.u16(type)
    out.u16(1)
    out.u32(ttlSeconds)
    out.prefixed(2, body)
  }

  static func encode(_ name: String, into out: inout OctetBuilder) {
    for label in name.split(separator: ".") { out.prefixed(1) { $0.text(String(label)) } }
    out.u8(0)
  }

  /// Multicast query for a service type (RFC 6762 section 5.1, RFC 6763 section 4).
  static func multicastQuery(_ service: String) -> [UInt8] {
    var out = OctetBuilder()
    for word in [0, 0, 1, 0, 0, 0] { out.u16(word) }
    encode(service, into: &out)
    out.u16(12)
    out.u16(1)
    return out.octets
  }
}
