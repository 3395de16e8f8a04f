import Crypto
import Mothlight
import Testing

@testable import MothlightStore

@Suite struct PackedBodyTests {
  private func packed(_ body: [UInt8]) -> [UInt8]? { body.withUnsafeBytes { PackedBody.pack($0) } }
  private func unpacked(_ body: [UInt8]) throws -> [UInt8] { try body.withUnsafeBytes { try PackedBody.unpack($0) } }

  /// Stores hold places in this text: a changed letter is a broken promise.
  @Test func wordsAreAsReleased() {
    let sum = SHA256.hash(data: BodyWords.octets).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    #expect(sum == "09717dde680326cdefc5aedb5bb6df756a9abf9b52d333e9e4e680dc9d979d24")
    #expect(BodyWords.octets.count + PackedBody.octetsMost < 1 << 16, "distances have sixteen bits")
  }

  /// Texts, runs, noise, and mixtures of them at every length around the format's edges.
  @Test func whatIsPackedComesBack() throws {
    var random = SeededRandom(3)
    var shorter = 0
    for round in 0..<600 {
      var body: [UInt8] = []
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        switch Int.random(in: 0...3, using: &random) {
        case 0:
          body += (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        case 1: body += [UInt8](repeating: UInt8(round & 255), count: Int.random(in: 0...700, using: &random))
        case 2:
          let start = Int.random(in: 0..<BodyWords.octets.count, using: &random)
          body += BodyWords.octets[start..<min(BodyWords.octets.count, start + Int.random(in: 0...90, using: &random))]
        default: body += body.suffix(Int.random(in: 0...300, using: &random))
        }
      }
      guard let small = packed(body) else { continue }
      shorter += 1
      #expect(small.count < body.count)
      #expect(try unpacked(small) == body)
    }
    #expect(shorter > 300)
    let long = [UInt8](repeating: 7, count: PackedBody.octetsMost)
    #expect(try unpacked(try #require(packed(long))) == long)
    #expect(packed(long + [7]) == nil, "longer ones stay as they are")
  }

  @Test func noiseIsNotPacked() {
    var random = SeededRandom(5)
    #expect(packed((0..<2000).map { _ in UInt8.random(in: 0...255, using: &random) }) == nil)
    #expect(packed([]) == nil)
  }

  /// The format is a published one, so a block by hand is read: "abcd" twice, then one octet again and again.
  @Test func aBlockByHandIsRead() throws {
    let block: [UInt8] =
      [0x40] + Array("abcd".utf8) + [4, 0, 0x1f, UInt8(ascii: "x"), 1, 0, 0, 0x30] + Array("end".utf8)
    #expect(
      String(decoding: try unpacked([31] + block), as: UTF8.self) == "abcdabcdx"
        + String(repeating: "x", count: 19) + "end")
  }

  /// Whatever the octets, reading them ends in an error or a body of bounded length.
  @Test func damageIsBounded() throws {
    let body = Array("began 144 connections to \(String(repeating: "evil.example ", count: 30))".utf8)
    let small = try #require(packed(body))
    for length in small.indices { #expect(throws: BodyDefect.self) { try unpacked(Array(small[..<length])) } }
    var random = SeededRandom(9)
    for _ in 0..<3000 {
      var copy = small
      for _ in 0...2 { copy[Int.random(in: copy.indices, using: &random)] = UInt8.random(in: 0...255, using: &random) }
      if let read = try? unpacked(copy) { #expect(read.count <= PackedBody.octetsMost) }
    }
    #expect(throws: BodyDefect.self) { try unpacked([0xff, 0xff, 0xff, 0xff, 0x0f, 0]) }
  }

  /// Bodies of stores from before are read as they are.
  @Test func plainBodiesAreRead() throws {
    let finding = StationFixture.finding(StationFixture.address("2001:db8::5"), day: 20_000, botnet: "Mariposa")
    let small = FindingBody.encode(finding)
    let plain = try PlainBody.of(small)
    #expect(small.first == 2 && plain.first == 1)
    #expect(small.count < plain.count * 3 / 4)
    #expect(try FindingBody.decode(plain) == finding)
    #expect(try plain.withUnsafeBytes { try FindingBody.host($0) } == finding.host)
    #expect(try small.withUnsafeBytes { try FindingBody.host($0) } == finding.host)
  }
}

/// A body as stores before the fourth schema held it.
enum PlainBody {
  static func of(_ body: [UInt8]) throws -> [UInt8] {
    guard body.first == 2 else { return body }
    let head = body[1] == 4 ? 6 : 18
    return [1] + body[1..<head] + (try body[head...].withUnsafeBytes { try PackedBody.unpack($0) })
  }
}
