/// Names of simulated sites that look like anybody's. Detectors of names leave out `.example` and the like (RFC 6761), so a
/// simulation under `.example` alone would never test them.
///
/// A label with hyphens in third and fourth place is reserved (RFC 5890 section 2.3.1), so nobody can own these names.
enum SimulatedName {
  static func domain(_ word: String, under suffix: String = "com") -> String { "zz--\(word).\(suffix)" }

  static func site(_ number: Int) -> String {
    "www." + domain("site-\(number)", under: ["com", "org", "net", "de"][number & 3])
  }

  /// A name with a typing error or of a site that is gone: words, not random letters.
  static func missing(_ random: inout RandomSource) -> String {
    let words = ["garden", "travel", "school", "music", "river", "bakery", "cycling", "market", "photo", "harbour"]
    let first = random.pick(words) ?? "garden"
    let second = random.pick(words) ?? "music"
    return "www.zz--\(first)-\(second)\(random.int(1, 99)).\(random.pick(["com", "org", "net"]) ?? "com")"
  }
}
