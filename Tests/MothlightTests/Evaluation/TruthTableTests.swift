import Testing

@testable import Mothlight

@Suite struct TruthTableTests {
  @Test func quotedFieldsCommentsAndLineEnds() throws {
    let text =
      "\u{feff}path,format,host,verdict,family,note\r\n# a comment, with a comma\r\n\r\n"
      + "a.pcap,pcap,10.0.0.1,infected,Mirai,\"24 h; says \"\"hello\"\", often\"\r\n"
      + "b,zeek,,not-enough-data,,\n b , zeek ,2001:db8::1, clean ,,\"\"\n"
    let table = try TruthTable(text: text, name: "t.csv")
    #expect(table.rows.map(\.line) == [4, 5, 6])
    #expect(table.rows[0].note == "24 h; says \"hello\", often")
    #expect(table.rows[0].family == "Mirai")
    #expect(table.rows[1].host == nil)
    #expect(table.rows[1].truth == .notEnoughData)
    #expect(table.rows[2].path == "b")
    #expect(table.rows[2].host == EvaluationFixture.address("2001:db8::1"))
    #expect(table.inputs.map(\.path) == ["a.pcap", "b"])
    #expect(table.inputs.map(\.rows.count) == [1, 2])
  }

  @Test func columnsInAnyOrderAndExtraOnes() throws {
    let table = try TruthTable(text: "verdict,colour,path\nclean,red,x\n", name: "t")
    #expect(table.rows == [TruthRow(line: 2, path: "x", truth: .clean)])
  }

  @Test(arguments: [
    ("path,verdict\na,infectious\n", "t:2: the verdict 'infectious' is none of"),
    ("path,verdict\n# c\na,clean,more\n", "t:3: 3 fields where the header has 2"),
    ("path,verdict,host\na,clean,10.0.0.300\n", "t:2: the host '10.0.0.300' is no address"),
    ("path,verdict\n,clean\n", "t:2: the path is empty"),
    ("path,verdict\n\"a,clean\n", "t:2: field 1: its quote is never closed"),
    ("path,verdict\n\"a\"b,clean\n", "t:2: field 1: a quote belongs around the whole field"),
    ("path,verdict\nab\"c,clean\n", "t:2: field 1: a quote belongs around the whole field"),
    ("path,verdict\na,clean\na,infected\n", "t:3: line 2 already speaks of this input and host"),
    ("path,host\na,\n", "t:1: the header has no column 'verdict'"),
    ("path,verdict\n", "t: has no rows"), ("", "t: has no rows"),
  ])
  func mistakesAreToldWithTheirLine(text: String, message: String) {
    let error = #expect(throws: ConfigurationError.self) { try TruthTable(text: text, name: "t") }
    #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
  }

  @Test func aWrongHeaderIsOneMistake() {
    let error = #expect(throws: ConfigurationError.self) { try TruthTable(text: "path,host\na\nb,c,d\n", name: "t") }
    #expect(error?.message.split(separator: "\n").count == 1)
  }

  @Test func manyMistakesAreSummedUp() {
    let text = "path,verdict\n" + String(repeating: "a,?\n", count: 25)
    let error = #expect(throws: ConfigurationError.self) { try TruthTable(text: text, name: "t") }
    #expect(error?.message.split(separator: "\n").count == 11)
    #expect(error?.message.hasSuffix("and 15 more mistakes") == true)
  }

  @Test func anyCutOfAFileIsReadOrRefusedInWords() {
    let text = "path,format,host,verdict,family,note\na.pcap,pcap,10.0.0.1,infected,Mirai,\"x, \"\"y\"\"\"\n"
    for end in 0...text.utf8.count {
      let cut = String(decoding: text.utf8.prefix(end), as: UTF8.self)
      do {
        let table = try TruthTable(text: cut, name: "t")
        #expect(table.rows.count == 1)
      } catch { #expect(error.message.hasPrefix("t:")) }
    }
  }

  @Test func tellsATableFromAFlowFile() {
    #expect(TruthTable.looksLike("# made today\npath,format,host,verdict\n"))
    #expect(!TruthTable.looksLike("StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr\n"))
    #expect(!TruthTable.looksLike(""))
  }
}
