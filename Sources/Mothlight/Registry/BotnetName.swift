import Crypto

/// How names are compared: sources write one name in many ways.
public enum BotnetName {
  /// Octets of a name; the longest in public clusters has some 60.
  public static let octetsMost = 200

  /// Lower case, letters and digits only, accents off: `Hide 'N Seek`, `hide-n-seek` and `HideNSeek` are one.
  /// Text without any letter or digit is only lowered.
  /// - Complexity: O(length).
  public static func folded(_ text: some StringProtocol) -> String {
    if text.utf8.allSatisfy({ $0 < 0x80 }) {
      let kept = text.utf8.compactMap { byte -> UInt8? in
        switch byte {
        case 0x30...0x39, 0x61...0x7a: byte
        case 0x41...0x5a: byte | 0x20
        default: nil
        }
      }
      return kept.isEmpty ? text.lowercased() : String(decoding: kept, as: UTF8.self)
    }
    var out = ""
    for character in text.lowercased() where character.isLetter || character.isNumber {
      // The first scalar of a decomposed letter is the letter without its accent.
      if let first = character.unicodeScalars.first { out.unicodeScalars.append(Self.base(of: first)) }
    }
    return out.isEmpty ? text.lowercased() : out
  }

  /// Latin-1 and Latin Extended-A letters without accents; others as they are.
  private static func base(of scalar: Unicode.Scalar) -> Unicode.Scalar {
    guard (0xc0...0x17f).contains(scalar.value) else { return scalar }
    // The last word of the letter's name before WITH: LATIN SMALL LETTER E WITH ACUTE.
    let words = scalar.properties.name?.split(separator: " ") ?? []
    guard let with = words.firstIndex(of: "WITH"), with > 0, words[with - 1].utf8.count == 1,
      let letter = words[with - 1].lowercased().unicodeScalars.first
    else { return scalar }
    return letter
  }

  /// Stable id of a name that came without one (RFC 9562 section 5.5, name space: `Mothlight`'s own).
  public static func id(of name: String) -> String {
    var hash = Insecure.SHA1()
    hash.update(data: space)
    hash.update(data: Array(folded(name).utf8))
    var bytes = Array(hash.finalize().prefix(16))
    bytes[6] = bytes[6] & 0x0f | 0x50
    bytes[8] = bytes[8] & 0x3f | 0x80
    return text(of: bytes)
  }

  /// c1b6e1a2-6d6f-5468-9c69-676874726567, made for this purpose.
  private static let space: [UInt8] = [
    0xc1, 0xb6, 0xe1, 0xa2, 0x6d, 0x6f, 0x54, 0x68, 0x9c, 0x69, 0x67, 0x68, 0x74, 0x72, 0x65, 0x67,
  ]

  private static func text(of bytes: [UInt8]) -> String {
    var out = ""
    for (i, byte) in bytes.enumerated() {
      if [4, 6, 8, 10].contains(i) { out += "-" }
      out += byte < 16 ? "0" : ""
      out += String(byte, radix: 16)
    }
    return out
  }

  /// Lower-case `8-4-4-4-12` hexadecimal digits; `nil` for anything else.
  public static func uuid(_ text: some StringProtocol) -> String? {
    let parts = text.utf8.split(separator: 0x2d, omittingEmptySubsequences: false)
    let isHex = text.utf8.allSatisfy {
      $0 == 0x2d || ($0 >= 0x30 && $0 <= 0x39) || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x66)
    }
    return isHex && parts.map(\.count) == [8, 4, 4, 4, 12] ? text.lowercased() : nil
  }
}
