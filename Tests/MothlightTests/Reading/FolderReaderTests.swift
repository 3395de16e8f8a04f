import Testing

@testable import Mothlight

@Suite struct FolderReaderTests {
  static func conn(_ seconds: [Int], host: String = "10.0.0.5") -> String {
    ZeekReaderTests.log(seconds.map { ZeekReaderTests.conn("15173\($0).000000").replacing("10.0.0.5", with: host) })
  }
  static func dns(_ seconds: [Int]) -> String {
    ZeekReaderTests.log(
      seconds.map { "15173\($0).0\t10.0.0.5\t5000\t10.0.0.1\t53\ta.org" }, path: "dns",
      fields: "ts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tquery")
  }

  @Test func mergesLogsByTimeAndNumbersTheMembers() throws {
    let folder = try TemporaryFolder()
    try folder.write("a/conn.log", Self.conn([36000, 36020, 36040]))
    try folder.write("a/dns.log", Self.dns([36010, 36030, 36050]))
    try folder.write("b/conn.log.gz", Compressed.gzip(Array(Self.conn([36045, 36060], host: "10.0.0.6").utf8)))
    try folder.write("README.md", "# Logs\n")
    try folder.write(".hidden/conn.log", Self.conn([1]))
    try folder.write("weird.log", ZeekReaderTests.log(["1\t2"], path: "weird", fields: "ts\tname"))
    try folder.write("empty.log", "")
    let inputs = Inputs()
    let other = try TemporaryFolder()
    let first = try inputs.open(
      path: other.write("c.binetflow", BinetflowReaderTests.header + BinetflowReaderTests.row()))
    #expect(Reading(first).flows.count == 1)
    let reader = try inputs.open(path: folder.path)
    let reading = Reading(reader, limit: 2)
    #expect(reading.error == nil)
    let times = reading.observations.map { Int($0.time.seconds) - 1_517_300_000 }
    #expect(times == [36000, 36010, 36020, 36030, 36040, 36045, 36050, 36060])
    #expect(Set(reading.flows.map(\.origin.input)) == [1, 3])
    #expect(Set(reading.lookups.map(\.ends.origin.input)) == [2])
    #expect(
      inputs.inputs.map { $0.path.split(separator: "/").last.map(String.init) } == [
        "c.binetflow", "conn.log", "dns.log", "conn.log.gz",
      ])
    #expect(inputs.inputs.map(\.used) == [1, 3, 3, 2])
    #expect(reading.summary.records == 8)
    #expect(
      reading.summary.skipped == [
        "files: not a log or capture": 1, "files: empty": 1, "files: zeek weird log, not one that is read": 1,
      ])
    #expect(reading.summary.first == Timestamp(seconds: 1_517_336_000))
  }

  @Test func readsACopyOfALogOnce() throws {
    let folder = try TemporaryFolder()
    let log = Self.conn([36000, 36020, 36040])
    try folder.write("conn.log", log)
    try folder.write("identical.log", log)
    try folder.write(
      "labeled-conn.log",
      log.replacing("tunnel_parents", with: "tunnel_parents   label").replacing(
        "(empty)\n", with: "(empty)   Malicious\n"))
    let reading = Reading(try Inputs.open(path: folder.path, index: 0))
    #expect(reading.flows.count == 3)
    #expect(reading.summary.skipped == ["files: copy of another": 2])
    #expect(reading.summary.warnings.count == 2)
  }

  /// A header without rows is an empty log: counted, left out, and no reason to complain. What is damaged is told.
  @Test func aHeaderWithoutRowsIsAnEmptyLog() throws {
    let folder = try TemporaryFolder()
    try folder.write("conn.log", Self.conn([36000]))
    try folder.write("dns.log", Self.dns([]))
    try folder.write("flows.binetflow", BinetflowReaderTests.header)
    let inputs = Inputs()
    let reader = try inputs.open(path: folder.path)
    let reading = Reading(reader)
    #expect(reading.error == nil && reading.flows.count == 1)
    #expect(reading.summary.skipped == ["files: empty": 2] && reading.summary.warnings == [])
    #expect(inputs.inputs.map(\.error) == [nil])
    #expect((reader as? FolderReader)?.ownWarnings == ["\(folder.path): left out: 2 empty files"])
    let cut = Array(Compressed.gzip(Array(Self.dns([]).utf8)).dropLast(6))
    try folder.write("ssl.log.gz", cut)
    #expect(Reading(try Inputs.open(path: folder.path, index: 0)).summary.skipped == ["files: empty": 2])
  }

  @Test func whatWasLeftOutReadsWellForOneAndForMany() {
    #expect(
      FolderSurvey.words(of: [
        "files: empty": 1, "files: copy of another": 1, "files: not a log or capture": 1,
        "files: zeek weird log, not one that is read": 1,
      ])
        == "1 copy of another file; 1 empty file; 1 file that is no log or capture; "
        + "1 Zeek weird log, a kind that is not read")
    #expect(
      FolderSurvey.words(of: [
        "files: empty": 2, "files: copy of another": 3, "files: not a log or capture": 4,
        "files: zeek weird log, not one that is read": 5,
      ])
        == "3 copies of other files; 2 empty files; 4 files that are no logs or captures; "
        + "5 Zeek weird logs, a kind that is not read")
    #expect(FolderSurvey.words(of: [:]) == "")
  }

  @Test func rotatedLogsAreReadOneAfterTheOther() throws {
    let folder = try TemporaryFolder()
    for hour in 0..<300 {
      try folder.write("conn.\(1000 - hour).log", Self.conn([10000 + hour * 10, 10003 + hour * 10]))
    }
    let reading = Reading(try Inputs.open(path: folder.path, index: 0), limit: 100)
    #expect(reading.flows.count == 600)
    #expect(zip(reading.flows, reading.flows.dropFirst()).allSatisfy { $0.first < $1.first })
  }

  @Test func overlappingLogsBeyondTheLimitAreStillAllRead() throws {
    let folder = try TemporaryFolder()
    for sensor in 0..<300 {
      try folder.write(
        "conn.\(sensor).log", Self.conn([36000, 36000 + sensor], host: "10.0.\(sensor % 256).\(sensor / 256)"))
    }
    #expect(Reading(try Inputs.open(path: folder.path, index: 0), limit: 512).flows.count == 600)
  }

  @Test func aDamagedMemberDoesNotStopTheOthers() throws {
    let folder = try TemporaryFolder()
    try folder.write("conn.log", Self.conn([36000, 36020]) + "151\tcut")
    try folder.write("top.log", ZeekReaderTests.conn("1517336000.0") + "\n")
    try folder.write("zero.log", ZeekReaderTests.log([ZeekReaderTests.conn("0.0")]))
    let reading = Reading(try Inputs.open(path: folder.path, index: 0))
    #expect(reading.error == nil)
    #expect(reading.flows.count == 2)
    #expect(reading.summary.unparsed == 1)
    #expect(reading.summary.firstUnparsed?.hasSuffix("the file ends inside this line") == true)
    #expect(reading.summary.warnings.contains { $0.contains("#fields header is missing") })
    #expect(reading.summary.warnings.contains { $0.contains("usable time") })
  }

  @Test func saysWhenNothingIsThere() throws {
    let folder = try TemporaryFolder()
    #expect(throws: SourceError(.noLogs, "")) { try Inputs.open(path: folder.path, index: 0) }
    try folder.write("text.log", "Lorem ipsum dolor sit amet")
    #expect(throws: SourceError(.noLogs, "")) { try Inputs.open(path: folder.path, index: 0) }
    try folder.write("zero.log", ZeekReaderTests.log([ZeekReaderTests.conn("0.0")]))
    #expect(throws: SourceError(.noUsableTime, "")) { try Inputs.open(path: folder.path, index: 0) }
  }
}

@Suite struct InputsTests {
  @Test func refusesTheSameFileOrContentTwiceButKeepsItsPlace() throws {
    let folder = try TemporaryFolder()
    let log = FolderReaderTests.conn([36000])
    let path = try folder.write("conn.log", log)
    let copy = try folder.write("copy.log", log)
    let other = try folder.write("other.log", FolderReaderTests.conn([36001]))
    let inputs = Inputs()
    #expect(Reading(try inputs.open(path: path)).flows.first?.origin.input == 0)
    #expect(throws: SourceError(.duplicate, "")) { try inputs.open(path: path) }
    #expect(throws: SourceError(.duplicate, "")) { try inputs.open(path: copy) }
    #expect(throws: SourceError(.notFound, "")) { try inputs.open(path: folder.path + "/nothing") }
    #expect(Reading(try inputs.open(path: other)).flows.first?.origin.input == 4)
    #expect(inputs.inputs.map(\.error?.code) == [nil, .duplicate, .duplicate, .notFound, nil])
  }

  @Test(arguments: [
    ("", SourceError.Code.empty), ("Lorem ipsum", .unknownFormat), ("[1]", .unknownFormat),
    ("1517336042.0\tC\t10.0.0.1\t1\t10.0.0.2\t2\n", .unknownFormat),
  ])
  func namesWhatAnInputIsInstead(text: String, code: SourceError.Code) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("file", text)
    #expect(throws: SourceError(code, "")) { try Inputs.open(path: path, index: 0) }
  }
}
