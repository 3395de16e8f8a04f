/// Names of botnets and rules by small numbers, kept in the tally's memory so that entries remain readable after a restart.
struct WordTable {
  /// Botnets and rules together: some hundred signatures and as many seized families.
  static let most = 2048
  /// Octets of a word, as the signature file allows.
  static let octetsMost = 48
  static let octets = most * octetsMost

  private let base: UnsafeMutableRawPointer
  private var numbers: [String: UInt16] = [:]
  private(set) var words: [String] = [""]

  /// - Parameter base: `octets` octets, zero or as another `WordTable` left them.
  init(_ base: UnsafeMutableRawPointer) {
    self.base = base
    while words.count < Self.most {
      let place = UnsafeRawBufferPointer(start: base + words.count * Self.octetsMost, count: Self.octetsMost)
      guard place[0] != 0 else { break }
      let word = String(decoding: place.prefix { $0 != 0 }, as: UTF8.self)
      numbers[word] = UInt16(clamping: words.count)
      words.append(word)
    }
  }

  /// The word's number, given now if need be; 0, the number of no word, when it is empty, too long or one too many.
  mutating func number(_ word: String) -> UInt16 {
    if let known = numbers[word] { return known }
    let octets = Array(word.utf8)
    guard !octets.isEmpty, octets.count <= Self.octetsMost, words.count < Self.most, !octets.contains(0) else {
      return 0
    }
    let place = UnsafeMutableRawBufferPointer(start: base + words.count * Self.octetsMost, count: Self.octetsMost)
    place.copyBytes(from: octets)
    let number = UInt16(clamping: words.count)
    numbers[word] = number
    words.append(word)
    return number
  }

  subscript(number: UInt16) -> String { Int(number) < words.count ? words[Int(number)] : "" }
}
