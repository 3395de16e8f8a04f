/// Encodes a label of an internationalised name as it stands on the wire (RFC 3492).
enum Punycode {
  private static let base = 36
  private static let tMin = 1
  private static let tMax = 26

  /// `xn--…` for a label with characters beyond ASCII, the label itself otherwise; `nil` when it is too long to be one.
  static func encode(label: some StringProtocol) -> String? {
    let scalars = label.unicodeScalars.map { Int($0.value) }
    guard scalars.count <= 63 else { return nil }
    var output = scalars.filter { $0 < 128 }.map { UInt8(truncatingIfNeeded: $0) }
    guard output.count < scalars.count else { return String(label) }
    let basic = output.count
    if basic > 0 { output.append(0x2d) }
    var (n, delta, bias, handled) = (128, 0, 72, basic)
    while handled < scalars.count {
      guard let next = scalars.filter({ $0 >= n }).min() else { return nil }
      delta &+= (next &- n) &* (handled &+ 1)
      n = next
      for scalar in scalars {
        if scalar < n { delta &+= 1 }
        guard scalar == n else { continue }
        append(delta, bias, to: &output)
        bias = adapt(delta, points: handled &+ 1, isFirst: handled == basic)
        delta = 0
        handled += 1
      }
      delta &+= 1
      n &+= 1
    }
    let text = "xn--" + String(decoding: output, as: UTF8.self)
    return text.utf8.count <= 63 ? text : nil
  }

  private static func append(_ delta: Int, _ bias: Int, to output: inout [UInt8]) {
    var q = delta
    var k = base
    while true {
      let t = k <= bias ? tMin : min(k &- bias, tMax)
      guard q >= t else { break }
      output.append(digit(t &+ (q &- t) % (base &- t)))
      q = (q &- t) / (base &- t)
      k &+= base
    }
    output.append(digit(q))
  }

  private static func digit(_ d: Int) -> UInt8 { UInt8(truncatingIfNeeded: d < 26 ? d &+ 0x61 : d &+ 22) }

  private static func adapt(_ delta: Int, points: Int, isFirst: Bool) -> Int {
    var d = isFirst ? delta / 700 : delta / 2
    d &+= d / points
    var k = 0
    while d > ((base &- tMin) &* tMax) / 2 {
      d /= base &- tMin
      k &+= base
    }
    return k &+ ((base &- tMin &+ 1) &* d) / (d &+ 38)
  }
}
