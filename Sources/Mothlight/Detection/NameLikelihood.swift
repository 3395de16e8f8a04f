#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Weighs whether a registered label was drawn by an algorithm or chosen by people.
///
/// A logistic model over neighbouring characters and a few shape features after Schüppen et al., "FANCI" (USENIX Security
/// 2018). It says little about one name (about one chosen name in twelve scores above 0) and much about a crowd of them.
public enum NameLikelihood {
  private enum Bound {
    /// Scores beyond e⁶ : 1 rest on the tails of the training lists.
    static let score = 6.0
    /// Shorter labels carry too few pairs to judge.
    static let shortestLabel = 4
    static let longestLabel = 63
  }

  private static let side = 38
  private static let edge = 37
  private static let trigrams: [UInt8] = decodeHex(NameModel.trigramsSeen)

  /// ln of the likelihood ratio generated : chosen, in -6…6, for the first label of a registered domain.
  ///
  /// 0 for labels it cannot judge: punycode, shorter than four characters, or with characters outside letters, digits, hyphen.
  /// - Complexity: O(length), no allocation beyond 65 bytes.
  public static func score(registeredDomain: String) -> Double {
    let bytes = registeredDomain.utf8
    return score(bytes.prefix { $0 != 0x2e })
  }

  public static func score(label: String) -> Double { score(label.utf8[...]) }

  private static func score(_ label: Substring.UTF8View) -> Double {
    var codes = [edge]
    codes.reserveCapacity(65)
    for byte in label {
      guard let code = code(of: byte), codes.count <= Bound.longestLabel else { return 0 }
      codes.append(code)
    }
    let length = codes.count - 1
    guard length >= Bound.shortestLabel, !label.starts(with: "xn--".utf8) else { return 0 }
    codes.append(edge)
    var features = pairFeatures(codes)
    features += shapeFeatures(codes[1...length])
    var sum = 0.0
    for (weight, feature) in zip(NameModel.weights, features) { sum += weight * feature }
    return max(-Bound.score, min(Bound.score, sum))
  }

  /// Bias, mean and capped sum of the pair weights, share of triples never seen in chosen names.
  private static func pairFeatures(_ codes: [Int]) -> [Double] {
    var total = 0.0
    var unseen = 0
    for i in 1..<codes.count {
      total += Double(NameModel.bigrams[codes[i - 1] * side + codes[i]]) / 25
      guard i >= 2 else { continue }
      let bit = (codes[i - 2] * side + codes[i - 1]) * side + codes[i]
      if trigrams[bit >> 3] >> UInt8(bit & 7) & 1 == 0 { unseen += 1 }
    }
    let pairs = Double(codes.count - 1)
    return [1, total / pairs, max(-10, min(10, total)) / 10, Double(unseen) / (pairs - 1)]
  }

  /// Log length, vowel share, longest consonant run, digit share, hyphen, distinct characters; scaled as in the trainer.
  private static func shapeFeatures(_ codes: ArraySlice<Int>) -> [Double] {
    var (run, longest, letters, vowels, digits, hyphens) = (0, 0, 0, 0, 0, 0)
    var distinct: UInt64 = 0
    for code in codes {
      distinct |= 1 << UInt64(code)
      let isVowel = [0, 4, 8, 14, 20, 24].contains(code)
      if code < 26 { letters += 1 } else if code < 36 { digits += 1 } else { hyphens += 1 }
      if isVowel { vowels += 1 }
      run = code < 26 && !isVowel ? run + 1 : 0
      longest = max(longest, run)
    }
    let n = Double(codes.count)
    let vowelShare = letters > 0 ? Double(vowels) / Double(letters) : 0
    return [
      log(n), vowelShare, Double(min(longest, 8)) / 8, Double(digits) / n, hyphens > 0 ? 1 : 0,
      Double(distinct.nonzeroBitCount) / n,
    ]
  }

  private static func code(of byte: UInt8) -> Int? {
    switch byte {
    case 0x61...0x7a: Int(byte) - 0x61
    case 0x41...0x5a: Int(byte) - 0x41
    case 0x30...0x39: Int(byte) - 0x30 + 26
    case 0x2d: 36
    default: nil
    }
  }

  private static func decodeHex(_ text: String) -> [UInt8] {
    var out = [UInt8](repeating: 0, count: (side * side * side + 7) / 8)
    var i = 0
    for byte in text.utf8 where i < out.count * 2 {
      let digit = byte < 0x3a ? byte &- 0x30 : byte &- 0x57
      out[i >> 1] |= i & 1 == 0 ? digit << 4 : digit & 15
      i += 1
    }
    return out
  }
}
