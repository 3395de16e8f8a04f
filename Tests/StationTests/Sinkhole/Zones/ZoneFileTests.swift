import Mothlight
import Testing

@testable import MothlightStation

@Suite struct ZoneFileTests {
  private static let authority = "authority: { order: \"1\", issuer: \"Court\", date: 2026-01-01 }"

  private func read(_ order: String) throws -> ZoneFile {
    let lines = order.split(separator: "\n").map { "    " + $0 }
    let text = "orders:\n  - " + lines.joined(separator: "\n").dropFirst(4) + "\n"
    return try ZoneFile.read(Array(text.utf8), path: "z.yaml")
  }

  private func order(_ change: (inout [String]) -> Void = { _ in }) -> String {
    var lines = [Self.authority, "family: Mariposa", "start: 2026-02-01", "end: 2026-12-31", "zones: [ a.example ]"]
    change(&lines)
    return lines.joined(separator: "\n")
  }

  @Test func wholeOrder() throws {
    let file = try read(
      order {
        $0[4] = "zones: [ a.example, \"*.b.example\" ]"
        $0.append("registration_expiry: 2028-01-01")
      })
    #expect(file.problems == [] && file.nameCount == 2)
    let day: Int64 = 86_400
    #expect(
      file.orders == [
        SeizureOrder(
          authority: .init(order: "1", issuer: "Court", day: 20_454), family: "Mariposa", start: 20_485 * day,
          end: 20_819 * day, registrationExpiry: 21_184, line: 2)
      ])
    #expect(Timestamp.describe(day: 20_454) == "2026-01-01" && Timestamp.describe(day: 20_819) == "2027-01-01")
  }

  /// Not served, with the line and the reason; the other orders are.
  @Test(arguments: [
    (0, "x_authority: 1", "no 'authority' with order, issuer and date", 2),
    (0, "authority: { order: \"1\", date: 2026-01-01 }", "'authority' lacks 'issuer'", 2),
    (0, "authority: { issuer: c, date: 2026-01-01 }", "'authority' lacks 'order'", 2),
    (0, "authority: { order: \"1\", issuer: c }", "'authority' lacks 'date'", 2),
    (0, "authority: { order: \"1\", issuer: c, date: 2026-02-30 }", "'date' is not a day: YYYY-MM-DD", 2),
    (0, "authority: { order: \"1\", issuer: c, date: 2026-03-01 }", "the authority is dated after 'start'", 2),
    (1, "famly: x", "an order lacks 'family'; is 'famly' a typing error for it?", 3),
    (2, "start: soon", "'start' is neither YYYY-MM-DD nor YYYY-MM-DDThh:mm:ssZ", 4),
    (3, "end: 2026-01-31", "'end' is not after 'start'", 5),
    (3, "", "an order lacks 'end'", 2),
    (4, "zone: [ a.example ]", "an order knows no key 'zone'", 6),
    (4, "subdomains: false", "an order lacks 'zones' and 'zones_file'", 2),
    (4, "addresses: { ipv4: [\"::1\"] }", "'::1' is no address for 'ipv4'", 6),
    (4, "addresses: { ipv4: [0.0.0.0] }", "'0.0.0.0' is no machine's address, or is given twice", 6),
  ])
  func orderThatIsNotServed(_ index: Int, _ line: String, _ reason: String, _ number: Int) throws {
    let bad = order {
      if line.isEmpty { $0.remove(at: index) } else { $0[index] = line }
    }
    let text =
      "orders:\n  - " + bad.split(separator: "\n").joined(separator: "\n    ") + "\n  - "
      + order { $0[4] = "zones: [ good.example ]" }.split(separator: "\n").joined(separator: "\n    ") + "\n"
    let file = try ZoneFile.read(Array(text.utf8), path: "z.yaml")
    #expect(file.problems.count == 1 && file.problems[0].line == number)
    #expect(file.problems[0].description.hasPrefix("z.yaml:\(number): \(reason)"), "\(file.problems)")
    #expect(file.orders.count == 1 && file.nameCount == 1)
  }

  @Test func namesThatAreNone() throws {
    let file = try read(order { $0[4] = "zones:\n  - a.example\n  - \"b..example\"\n  - com\n  - c.example" })
    #expect(file.nameCount == 2)
    #expect(
      file.problems.map(\.description) == [
        "z.yaml:8: 'b..example' has an empty label",
        "z.yaml:9: 'com' is a top-level domain, which no order hands over",
      ])
  }

  @Test func brokenFileThrowsWithItsLine() {
    #expect(throws: ZoneFile.Problem("z.yaml", 2, "a tab; use spaces")) {
      try ZoneFile.read(Array("orders:\n\t- a\n".utf8), path: "z.yaml")
    }
    #expect(throws: ZoneFile.Problem("z.yaml", 1, "the file lacks 'orders'; is 'order' a typing error for it?")) {
      try ZoneFile.read(Array("order: 1\n".utf8), path: "z.yaml")
    }
    #expect(throws: ZoneFile.Problem.self) { try ZoneFile.read("does-not-exist.yaml") }
  }

  @Test func longList() throws {
    let folder = try ScratchFolder()
    var list = "# names of a generator\r\n\n"
    for i in 0..<50_000 { list += i % 10_000 == 17 ? "bad name \(i)\n" : "  q\(i)x.example \r\n" }
    list += "last.example"
    try folder.write("dga.txt", list)
    let path = try folder.write(
      "zones.yaml",
      "orders:\n  - " + order { $0[4] = "zones_file: dga.txt" }.split(separator: "\n").joined(separator: "\n    ")
        + "\n")
    let file = try ZoneFile.read(path)
    #expect(file.nameCount == 50_000 - 5 + 1)
    #expect(file.problems.map(\.line) == [20, 10_020, 20_020, 30_020, 40_020])
    #expect(file.problems[0].description.hasSuffix("dga.txt:20: 'bad name 17' has a character that no name has"))
    let zones = ServedZones(file, try SinkFixture.settings())
    #expect(zones.nameCount == file.nameCount)
  }

  @Test func missingListIsToldWithTheLineThatNamesIt() throws {
    let folder = try ScratchFolder()
    let path = try folder.write(
      "zones.yaml",
      "orders:\n  - " + order { $0[4] = "zones_file: gone.txt" }.split(separator: "\n").joined(separator: "\n    ")
        + "\n")
    let file = try ZoneFile.read(path)
    #expect(file.problems.count == 1 && file.problems[0].line == 6)
    #expect(file.problems[0].reason.hasSuffix("gone.txt cannot be read: No such file or directory"))
  }

  @Test func manyProblemsAreCounted() throws {
    let folder = try ScratchFolder()
    try folder.write("l.txt", String(repeating: "bad name\n", count: 1000))
    let path = try folder.write(
      "zones.yaml",
      "orders:\n  - " + order { $0[4] = "zones_file: l.txt" }.split(separator: "\n").joined(separator: "\n    ") + "\n")
    let file = try ZoneFile.read(path)
    #expect(file.problemCount == 1000 && file.problems.count == 20)
  }
}
