import Testing

@testable import Mothlight

/// A log that several tasks read in parts gives what one reader gives, whatever is in it.
@Suite struct BlockedReadTests {
  /// Forty machines inside, a beacon among them.
  private static func row(_ n: Int, time: Int? = nil) -> String {
    let peer = n % 40 == 7 ? "45.1.1.1" : "93.\(n % 7).\(n % 11).\(n % 251)"
    return
      "\(time ?? 1_699_930_000 + n).5\t10.0.0.\(1 + n % 40)\t\(20_000 + n % 30_000)\t\(peer)\t8443\ttcp\t0.1\t900\t400\tSF\t5\t4\n"
  }
  private static func rows(_ numbers: Range<Int>) -> String { numbers.reduce(into: "") { $0 += row($1) } }
  private static let fields =
    "ts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tduration\torig_bytes\tresp_bytes\tconn_state\torig_pkts\tresp_pkts"
  private static func header(path: String = "conn", fields: String = fields, unset: String = "-") -> String {
    "#separator \\x09\n#unset_field\t\(unset)\n#path\t\(path)\n#fields\t\(fields)\n"
  }
  private static func json(_ numbers: Range<Int>, path: String? = nil) -> String {
    numbers.reduce(into: "") { text, n in
      let peer = n % 40 == 7 ? "45.1.1.1" : "93.\(n % 7).\(n % 11).\(n % 251)"
      let kind = path.map { "\"_path\":\"\($0)\"," } ?? ""
      text +=
        "{\(kind)\"ts\":\(1_699_930_000 + n).5,\"id.orig_h\":\"10.0.0.\(1 + n % 40)\",\"id.orig_p\":\(20_000 + n % 30_000),\"id.resp_h\":\"\(peer)\",\"id.resp_p\":8443,\"proto\":\"tcp\",\"duration\":0.1,\"orig_bytes\":900,\"resp_bytes\":400,\"conn_state\":\"SF\",\"orig_pkts\":5,\"resp_pkts\":4,\"query\":\"a\(n).example\",\"qtype\":1}\n"
    }
  }
  private static let flowHeader =
    "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,Label\n"
  private static func flows(_ numbers: Range<Int>, date: String = "2011/08/10 ") -> String {
    numbers.reduce(into: "") { text, n in
      let second = n % 60 < 10 ? "0\(n % 60)" : "\(n % 60)"
      let minute = n / 60 % 60 < 10 ? "0\(n / 60 % 60)" : "\(n / 60 % 60)"
      let peer = n % 40 == 7 ? "45.1.1.1" : "93.\(n % 7).\(n % 11).\(n % 251)"
      text +=
        "\(date)10:\(minute):\(second).000000,1.5,tcp,10.0.0.\(1 + n % 40),\(2000 + n),   ->,\(peer),8443,FSPA_FSPA,0,0,9,1300,900,flow=x\n"
    }
  }

  /// A look-up of example.org that nobody answers.
  private static let question =
    "s[48]="
    + Base64.encode([
      0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 3, 0x6f, 0x72, 0x67, 0, 0,
      1, 0, 1,
    ])

  struct Log: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var text: String
    /// Blocks that the reader must take back: at least one, where rows stop meaning what they did.
    var isGivenBack = false
    /// Depends on where blocks end.
    var mayBeGivenBack = false
    var blocksLeast = 11
    /// Nothing may be read in parts at all.
    var isAlone = false
    var isPacked = false
    /// Octets that are missing at the end of the packed file.
    var cut = 0
  }

  static let logs: [Log] = [
    Log(testDescription: "rows", text: header() + rows(0..<6000)),
    Log(testDescription: "packed", text: header() + rows(0..<6000), isPacked: true),
    Log(testDescription: "packed and cut", text: header() + rows(0..<6000), isPacked: true, cut: 9000),
    Log(testDescription: "no line end at the end", text: String((header() + rows(0..<6000)).dropLast(4))),
    Log(
      testDescription: "lines end as in DOS",
      text: (header() + rows(0..<6000)).split(separator: "\n").joined(separator: "\r\n")),
    Log(
      testDescription: "the same header again, as hours put together have it",
      text: (0..<6).map { header() + rows($0 * 1000..<$0 * 1000 + 1000) + "#close\t2023\n" }.joined()),
    Log(
      testDescription: "another header",
      text: header() + rows(0..<3000) + header(fields: "uid\t" + fields)
        + (3000..<6000).map { "C\($0)\t" + row($0) }.joined(),
      isGivenBack: true),
    Log(
      testDescription: "another mark for what is not set",
      text: header() + rows(0..<3000) + header(unset: "?") + rows(3000..<6000), isGivenBack: true),
    Log(
      testDescription: "a log that is not read behind one that is",
      text: header() + rows(0..<3000) + header(path: "weird", fields: "ts\tname") + rows(3000..<6000), isGivenBack: true
    ),
    Log(
      testDescription: "a log that is not read", text: header(path: "weird", fields: "ts\tname") + rows(0..<6000),
      isAlone: true),
    Log(
      testDescription: "damaged and empty lines",
      text: header()
        + (0..<6000).map { $0 % 1117 == 1000 ? "\n" : $0 % 1009 == 1008 ? "no\trow\n" : row($0) }.joined()),
    Log(
      testDescription: "a line that is too long",
      text: header() + rows(0..<3000) + String(repeating: "x", count: Limits.lineOctets + 9) + "\n" + rows(3000..<6000)),
    Log(
      testDescription: "times of zero are left out",
      text: header()
        + (0..<6000).map { $0 % 100 == 99 ? row($0, time: 0).replacing("0.5\t", with: "0.0\t") : row($0) }.joined()),
    Log(
      testDescription: "a clock that starts over",
      text: header() + rows(0..<3000) + (3000..<6000).map { row($0, time: $0 - 2999) }.joined(), isGivenBack: true),
    Log(
      testDescription: "times without a date", text: header() + (1..<6000).map { row($0, time: $0) }.joined(),
      isAlone: true),
    Log(testDescription: "JSON", text: json(0..<4000)),
    Log(testDescription: "JSON of one kind that names it", text: json(0..<4000, path: "conn")),
    Log(
      testDescription: "JSON of another kind from the middle on",
      text: json(0..<2000, path: "conn") + json(2000..<2002, path: "dns") + json(2002..<4000), isGivenBack: true),
    Log(
      testDescription: "JSON of kinds in turns",
      text: (0..<4000).map { json($0..<$0 + 1, path: $0 % 3 == 0 ? "dns" : "conn") }.joined(), isGivenBack: true,
      blocksLeast: 0),
    Log(
      testDescription: "JSON that names more kinds than are counted one by one",
      text: json(0..<2000, path: "conn") + (0..<70).map { json($0..<$0 + 1, path: "kind\($0)") }.joined()
        + json(2000..<4000, path: "conn"),
      isGivenBack: true),
    Log(
      testDescription: "another header for three rows",
      text: header() + rows(0..<3000) + header(fields: "uid\t" + fields)
        + (3000..<3003).map { "C\($0)\t" + row($0) }.joined() + header() + rows(3003..<6000),
      mayBeGivenBack: true),
    Log(testDescription: "binetflow", text: flowHeader + flows(0..<6000)),
    Log(
      testDescription: "binetflow with its header again",
      text: flowHeader + flows(0..<3000) + flowHeader + flows(3000..<6000)),
    Log(
      testDescription: "binetflow with another header",
      text: flowHeader + flows(0..<3000) + flowHeader.replacing("Sport", with: "Xport") + flows(3000..<6000),
      isGivenBack: true),
    Log(
      testDescription: "binetflow with times of the day among dates",
      text: flowHeader + flows(0..<2000) + flows(2000..<2001, date: "").replacing("10:33:20", with: "13:45:00")
        + flows(2001..<4500) + flows(4500..<4501, date: "").replacing("10:15:00", with: "00:00:00")
        + flows(4501..<6000),
      isGivenBack: true),
    Log(
      testDescription: "binetflow with payloads for one row",
      text: flowHeader + flows(0..<3000) + flowHeader.replacing(",Label", with: ",srcUdata,Label")
        + "2011/08/10 10:50:00.000000,0,udp,10.0.0.3,1025,   ->,198.51.100.53,53,INT,0,,1,74,74,\(question),flow=x\n"
        + flowHeader + flows(3001..<6000),
      isGivenBack: true),
    Log(
      testDescription: "binetflow with times of the day only", text: flowHeader + flows(0..<6000, date: ""),
      isAlone: true),
  ]

  private func read(
    _ paths: String..., home: [Prefix] = [Prefix("10.0.0.0/8")].compactMap { $0 }, shards: Int, octets: Int
  ) async throws -> (text: String, records: UInt64, blocks: Int, givenBack: Int) {
    var options = ReadOptions()
    options.home = home
    (options.shards, options.blockOctets, options.batch) = (shards, octets, 64)
    var pipeline = try ReadPipeline(options)
    let report = await pipeline.run(InputQueue(paths: paths), version: "test")
    var settings = ExporterSettings()
    settings.showAll = true
    settings.showHidden = true
    var text = ""
    try ExporterRoster.make("ndjson", settings).export(report) { text += $0 }
    return (text, report.inputs.reduce(0) { $0 + $1.records }, pipeline.blocksRead, pipeline.blocksGivenBack)
  }

  @Test(arguments: logs) func givesWhatOneReaderGives(log: Log) async throws {
    let folder = try TemporaryFolder()
    let bytes = Array(log.text.utf8)
    let path = try folder.write("log", log.isPacked ? Compressed.gzip(bytes).dropLast(log.cut) : bytes[...])
    let reference = try await read(path, shards: 1, octets: 8192)
    #expect(reference.blocks == 0)
    #expect(reference.records > (log.cut > 0 ? 1000 : 3999))
    for (shards, octets) in [(2, 4096), (3, 9001), (2, 100_000)] {
      let other = try await read(path, shards: shards, octets: octets)
      #expect(other.text == reference.text, "\(shards) shards, \(octets) octets")
      if log.isAlone {
        #expect(other.blocks == 0)
      } else if octets < 10_000 {
        #expect(other.blocks >= log.blocksLeast)
      }
      if octets < 10_000, !log.mayBeGivenBack { #expect((other.givenBack > 0) == log.isGivenBack) }
    }
  }

  /// Blocks begin in the middle of a log, behind what waited for it; the next log has blocks of its own.
  @Test func aHomeThatIsLearnedLosesNothing() async throws {
    let folder = try TemporaryFolder()
    let first = try folder.write("first", Self.header() + Self.rows(0..<24_000))
    let second = try folder.write("second", Self.json(24_000..<28_000))
    let reference = try await read(first, second, home: [], shards: 1, octets: 8192)
    #expect(reference.records == 28_000)
    for shards in [2, 3] {
      let other = try await read(first, second, home: [], shards: shards, octets: 8192)
      #expect(other.text == reference.text)
      #expect(other.blocks > 20 + 60 && other.givenBack == 0)
    }
  }

  /// Where every block turns out to be something else, most of the log is read once only.
  @Test func aLogThatChangesAllTheTimeIsLeftToItsReader() async throws {
    let folder = try TemporaryFolder()
    let text = (0..<4000).map { Self.json($0..<$0 + 1, path: $0 % 3 == 0 ? "dns" : "conn") }.joined()
    let path = try folder.write("log", text)
    let other = try await read(path, shards: 2, octets: 4096)
    let blocks = text.utf8.count / 4096
    #expect(other.givenBack > 1 && other.givenBack * other.givenBack < 4 * blocks, "\(other.givenBack) of \(blocks)")
  }
}
