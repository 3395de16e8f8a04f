import Glibc
import Testing

@testable import Mothlight

/// A log read while it is written: at every octet, across restarts, packed meanwhile.
@Suite struct GrowingLogTests {
  private static func eve(_ type: String, _ second: Int, port: Int, _ body: String) -> String {
    let time = "2026-11-25T10:\(pad(second / 60, 2)):\(pad(second % 60, 2)).000000+0000"
    return
      #"{"timestamp":"\#(time)","event_type":"\#(type)","src_ip":"10.0.0.5","src_port":\#(port),"dest_ip":"192.0.2.53","dest_port":53,"proto":"UDP",\#(body)}"#
      + "\n"
  }
  private static func flow(_ second: Int, port: Int) -> String {
    let body =
      #""flow":{"pkts_toserver":1,"pkts_toclient":1,"bytes_toserver":80,"bytes_toclient":120,"start":"2026-11-25T10:00:00.000000+0000","end":"2026-11-25T10:00:01.000000+0000","state":"established"}"#
    return eve("flow", second, port: port, body)
  }
  private static func query(_ second: Int, _ id: Int) -> String {
    eve("dns", second, port: 4000 + id, #""dns":{"type":"query","id":\#(id),"rrname":"n\#(id).example","rrtype":"A"}"#)
  }
  private static func answer(_ second: Int, _ id: Int) -> String {
    eve(
      "dns", second, port: 4000 + id,
      #""dns":{"version":2,"type":"answer","id":\#(id),"rrname":"n\#(id).example","rrtype":"A","rcode":"NOERROR","answers":[{"rrname":"n\#(id).example","rrtype":"A","ttl":60,"rdata":"198.51.100.\#(id)"}]}"#
    )
  }

  private func append(_ path: String, _ bytes: some Collection<UInt8>) {
    let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT, 0o644)
    let array = Array(bytes)
    #expect(write(descriptor, array, array.count) == array.count)
    close(descriptor)
  }

  private func follow(_ path: String, from position: GrowingLog.Position = .init()) throws -> GrowingLog {
    let head = try LogHead(path: path)
    return try GrowingLog(path: path, format: try #require(head.format), index: 2, from: position)
  }

  /// Whatever the writer's buffer flushes, each row comes once, when its newline is there.
  @Test func everyCutOfARow() throws {
    let folder = try TemporaryFolder()
    let rows = (0..<3).map { ZeekReaderTests.conn("151733604\($0).0") }
    let text = Array(ZeekReaderTests.log(rows).utf8)
    let whole = try Reading(text: String(decoding: text, as: UTF8.self), index: 2).flows
    #expect(whole.count == 3)
    let header = text.count - rows.reduce(0) { $0 + $1.utf8.count + 1 }
    let path = folder.path + "/conn.log"
    for cut in header..<text.count {
      unlink(path)
      append(path, text[..<cut])
      let log = try follow(path)
      var out: [Observation] = []
      while try log.read(into: &out, limit: 1) {}
      let newlines = text[header..<cut].count { $0 == 0x0a }
      #expect(out.count == newlines, "cut at \(cut)")
      append(path, text[cut...])
      while try log.read(into: &out, limit: 1) {}
      #expect(out.map(Self.flow) == whole, "cut at \(cut)")
      #expect(log.position == GrowingLog.Position(octets: UInt64(text.count), lines: 9))
    }
  }

  private static func flow(_ o: Observation) -> Flow? { if case .flow(let flow) = o.event { flow } else { nil } }

  /// A header that is not whole yet tells nothing.
  @Test func waitsForTheHeader() throws {
    let folder = try TemporaryFolder()
    let text = Array(ZeekReaderTests.log([ZeekReaderTests.conn("1517336042.0")]).utf8)
    let path = folder.path + "/conn.log"
    let fields = try #require(text.firstRange(of: Array("#fields".utf8))).lowerBound
    for cut in [1, 10, 40, fields, fields + 30] {
      unlink(path)
      append(path, text[..<cut])
      #expect(try LogHead(path: path).format == nil, "cut at \(cut)")
    }
    unlink(path)
    append(path, text)
    let head = try LogHead(path: path)
    #expect(head.format == .zeekTSV(.conn) && !head.isCompressed)
    #expect(head.first == Timestamp(seconds: 1_517_336_042))
  }

  /// Stopped behind any row and opened again: nothing twice, nothing missing, line numbers as in the whole file.
  @Test(arguments: [false, true])
  func goesOnWhereItWasLeft(isPacked: Bool) throws {
    let folder = try TemporaryFolder()
    let rows = (10..<60).map { ZeekReaderTests.conn("15173360\($0).0") }
    let text = Array(ZeekReaderTests.log(rows).utf8)
    let whole = try Reading(text: String(decoding: text, as: UTF8.self), index: 2).flows
    let path = try folder.write("conn.log", text)
    let later = isPacked ? try folder.write("conn.log.gz", Compressed.gzip(text)) : path
    for count in stride(from: 0, through: 50, by: 7) {
      var out: [Observation] = []
      let log = try follow(path)
      for _ in 0..<count { _ = try log.read(into: &out, limit: 1) }
      let rest = try follow(later, from: log.position)
      #expect(rest.isCompressed == isPacked)
      while try rest.read(into: &out, limit: 7) {}
      #expect(out.map(Self.flow) == whole, "left after \(count) rows")
    }
  }

  /// A log may begin anew with other columns in the middle: the latest header holds, after a restart too.
  @Test func columnsChangeInTheMiddle() throws {
    let folder = try TemporaryFolder()
    let fields = "ts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\torig_bytes\tresp_bytes\tconn_state"
    let row = { (n: Int) in "151733604\(n).0\t10.0.0.9\t\(n)\t192.0.2.7\t53\tudp\t30\t40\tSF" }
    let old = ZeekReaderTests.log([ZeekReaderTests.conn("1517336042.0")])
    let path = try folder.write("conn.log", old)
    let log = try follow(path)
    var out: [Observation] = []
    while try log.read(into: &out, limit: 1) {}
    let before = log.columns
    append(path, ZeekReaderTests.log([row(3), row(4)], fields: fields).utf8)
    #expect(try log.read(into: &out, limit: 1))
    #expect(log.columns != before && log.columns == fields.split(separator: "\t").map(String.init))
    let rest = try follow(path, from: log.position)
    while try rest.read(into: &out, limit: 1) {}
    #expect(out.compactMap(Self.flow).map(\.sourcePort) == [50_000, 3, 4])
    #expect(rest.summary.unparsed == 0)
    #expect(log.position.lines + 1 == rest.position.lines)
  }

  /// Rows behind a header that was lost are counted, not guessed.
  @Test func otherColumnsWithoutAHeaderAreCounted() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("conn.log", ZeekReaderTests.log([ZeekReaderTests.conn("1517336042.0")]))
    append(path, Array("1517336043.0\ta\tb\n".utf8))
    let log = try follow(path)
    var out: [Observation] = []
    while try log.read(into: &out, limit: 1) {}
    #expect(out.count == 1 && log.summary.unparsed == 1)
    #expect(log.summary.firstUnparsed?.contains("3 columns where the header has 19") == true)
  }

  /// The last line of a log that is gone needs no newline; that of a log that grows does.
  @Test func theLastLineWaits() throws {
    let folder = try TemporaryFolder()
    let text = ZeekReaderTests.log([ZeekReaderTests.conn("1517336042.0")])
    let path = try folder.write("conn.log", Array(text.utf8).dropLast())
    let log = try follow(path)
    var out: [Observation] = []
    while try log.read(into: &out, limit: 1) {}
    #expect(out.isEmpty)
    try log.finish(into: &out)
    #expect(out.count == 1)
    #expect(log.position.octets == UInt64(text.utf8.count - 1))
    #expect(try !log.read(into: &out, limit: 1))
  }

  /// A line without end is passed over once, and what follows it is read.
  @Test func aLineTooLongIsLeftOut() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("eve.json", Self.flow(1, port: 1))
    let log = try follow(path)
    var out: [Observation] = []
    while try log.read(into: &out, limit: 1) {}
    let piece = [UInt8](repeating: 0x20, count: Limits.lineOctets / 2)
    for _ in 0..<4 {
      append(path, piece)
      while try log.read(into: &out, limit: 1) {}
    }
    append(path, Array("tail\n".utf8) + Array(Self.flow(2, port: 2).utf8))
    while try log.read(into: &out, limit: 1) {}
    #expect(out.compactMap(Self.flow).map(\.sourcePort) == [1, 2])
    #expect(log.summary.unparsed == 0)
  }

  /// Suricata's look-ups are held to be joined with their answers: a restart in between gives each once, and whole.
  @Test(arguments: [false, true])
  func joinsAcrossARestart(isPacked: Bool) throws {
    let folder = try TemporaryFolder()
    var lines: [String] = []
    for n in 1...20 {
      lines.append(Self.query(n * 3, n))
      lines.append(Self.flow(n * 3, port: 100 + n))
      lines.append(Self.answer(n * 3 + 1, n))
    }
    let text = lines.joined()
    let whole = try Reading(text: text, index: 2)
    #expect(whole.lookups.count == 20 && whole.flows.count == 20)
    let path = try folder.write("eve.json", text)
    let later = isPacked ? try folder.write("eve.json.gz", Compressed.gzip(Array(text.utf8))) : path
    for count in 1..<lines.count {
      unlink(path)
      append(path, lines[..<count].joined().utf8)
      var out: [Observation] = []
      let log = try follow(path)
      while try log.read(into: &out, limit: 1) {}
      unlink(path)
      append(path, text.utf8)
      let rest = try follow(later, from: log.position)
      while try rest.read(into: &out, limit: 1) {}
      try rest.finish(into: &out)
      let lookups = out.compactMap { if case .dns(let lookup) = $0.event { lookup } else { nil } }
      #expect(lookups.map(\.name) == whole.lookups.map(\.name), "left after \(count) lines")
      #expect(lookups.allSatisfy { $0.addresses.count == 1 }, "left after \(count) lines")
      #expect(out.compactMap(Self.flow) == whole.flows, "left after \(count) lines")
    }
  }

  /// A quiet network must not keep the last look-ups waiting.
  @Test func heldLookupsCanBeReleased() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("eve.json", Self.query(1, 1))
    let log = try follow(path)
    var out: [Observation] = []
    while try log.read(into: &out, limit: 1) {}
    #expect(out.isEmpty && log.position.heldOctets == log.position.octets)
    log.releaseHeld(into: &out)
    #expect(out.count == 1 && log.position.heldOctets == 0)
  }

  @Test func refusesWhatIsNoLog() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("weird.log", ZeekReaderTests.log(["1\t2"], path: "weird", fields: "ts\tname"))
    #expect(try LogHead(path: path).format == .zeekTSV(.other("weird")))
    #expect(throws: SourceError(.unknownFormat, "")) { _ = try self.follow(path) }
    #expect(throws: SourceError(.notFound, "")) { _ = try LogHead(path: folder.path + "/none") }
    #expect(try LogHead(path: folder.write("empty", "")).format == nil)
    #expect(try LogHead(path: folder.write("text", "hello\n")).format?.isLog == false)
  }
}
