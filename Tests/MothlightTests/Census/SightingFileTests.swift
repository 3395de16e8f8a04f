import Testing

@testable import Mothlight

@Suite("Tables of sightings")
struct SightingFileTests {
  private func read(_ text: String) throws -> (rows: [CensusSighting], file: SightingFile) {
    let file = try SightingFile(try ByteWindow(bytes: Array(text.utf8), name: "t.csv"), name: "t.csv")
    var rows: [CensusSighting] = []
    try file.read { rows.append($0) }
    return (rows, file)
  }

  @Test("Columns are found by name, in any order, and may be missing")
  func columnsByName() throws {
    let (rows, file) = try read(
      "ip,hour,contacts,valid,asn,tz,cc,fp,id,sensor\n"
        + "198.51.100.7,492000,15,1,AS64512,-3.5,br,win7,a1,north\n198.51.100.8,492001,,false,,+05:30,,,,south\n")
    #expect(rows.count == 2)
    #expect(rows[0].hour == 492_000 && rows[0].contacts == 15 && rows[0].isValid)
    #expect(rows[0].system == 64_512 && rows[0].country == CountryCode("BR") && rows[0].timeZone == -4)
    #expect(rows[0].fingerprint != 0 && rows[0].identity != 0 && rows[0].fingerprint != rows[0].identity)
    #expect(rows[1].timeZone == 5 && rows[1].fingerprint == 0 && rows[1].identity == 0 && rows[1].contacts == 1)
    #expect(!rows[1].isValid)
    #expect(file.sensors == ["north", "south"])
    #expect(try read("hour,ip\n5,2001:db8::1\n").rows.count == 1)
  }

  @Test("Hours are numbers, seconds or RFC 3339")
  func hours() throws {
    let (rows, _) = try read("hour,ip\n7,10.0.0.1\n1771200000,10.0.0.1\n2026-03-02T05:00:00Z,10.0.0.1\n")
    #expect(rows.map(\.hour) == [7, 492_000, 492_341])
  }

  @Test("Tabs and semicolons separate, quotes and CRLF do not disturb")
  func separators() throws {
    #expect(try read("hour\tip\tcc\n7\t10.0.0.1\tES\n").rows[0].country == CountryCode("ES"))
    #expect(try read("\"hour\";\"ip\"\r\n7;\"10.0.0.1\"\r\n").rows.count == 1)
  }

  @Test("Lines that are no rows are counted with the first one's place, and lose nothing else")
  func damagedLines() throws {
    let (rows, file) = try read("hour,ip\n7,10.0.0.1\nx,10.0.0.2\n8,nowhere\n9,10.0.0.3\n10,10.0")
    #expect(rows.map(\.hour) == [7, 9])
    #expect(file.summary.refused == 3)
    #expect(file.summary.firstRefused?.hasPrefix("t.csv:3:") == true)
  }

  @Test("A file that is none says what it should be", arguments: ["", "a,b,c\n1,2,3\n", "\u{0}\u{1}\u{2}"])
  func foreign(text: String) throws {
    #expect(throws: SourceError.self) {
      _ = try SightingFile(try ByteWindow(bytes: Array(text.utf8), name: "t.csv"), name: "t.csv")
    }
  }

  @Test("Rows of one source and hour become one, whose check-ins add up")
  func joining() {
    var joiner = SightingJoiner()
    var out: [CensusSighting] = []
    let a = IPAddress(v4: 1)
    for row in [
      CensusSighting(hour: 1, address: a, contacts: 15),
      CensusSighting(hour: 1, address: IPAddress(v4: 2), contacts: 3),
      CensusSighting(hour: 1, address: a, contacts: 14),
      CensusSighting(hour: 1, address: a, fingerprint: 9, contacts: 1),
      CensusSighting(hour: 1, address: a, contacts: 1, isValid: false),
      CensusSighting(hour: 2, address: a, contacts: 7),
    ] {
      joiner.add(row) { out.append($0) }
    }
    joiner.finish { out.append($0) }
    #expect(out.filter(\.isValid).map(\.contacts) == [29, 3, 1, 7])
    #expect(out.count == 5)
  }
}
