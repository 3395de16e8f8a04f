import Testing

@testable import Mothlight

@Suite struct FormatSnifferTests {
  static func sniff(_ bytes: [UInt8]) throws -> InputFormat {
    try FormatSniffer.sniff(try ByteWindow(bytes: bytes, name: "memory"))
  }
  static func sniff(_ text: String) throws -> InputFormat { try sniff(Array(text.utf8)) }

  @Test func tellsCapturesByTheirMagic() throws {
    let rest = [UInt8](repeating: 0, count: 40)
    for magic: [UInt8] in [
      [0xd4, 0xc3, 0xb2, 0xa1], [0xa1, 0xb2, 0xc3, 0xd4], [0x4d, 0x3c, 0xb2, 0xa1], [0xa1, 0xb2, 0x3c, 0x4d],
      [0x34, 0xcd, 0xb2, 0xa1], [0xa1, 0xb2, 0xcd, 0x34],
    ] {
      #expect(try Self.sniff(magic + rest) == .pcap)
    }
    #expect(try Self.sniff([0x0a, 0x0d, 0x0d, 0x0a] + rest) == .pcapng)
    #expect(try Self.sniff([0x0c, 0xa5, 1, 0] + rest) == .nfcapd)
    #expect(try Self.sniff([0xa5, 0x0c, 0, 2] + rest) == .nfcapd)
  }

  @Test func looksIntoCompressedFilesOnce() throws {
    let log = Array("#separator \\x09\n#path\tdns\n#fields\tts\tquery\n".utf8)
    #expect(try Self.sniff(Compressed.gzip(log)) == .zeekTSV(.dns))
    #expect(try Self.sniff(Compressed.zstd(log)) == .zeekTSV(.dns))
    guard case .unknown = try Self.sniff(Compressed.gzip(Compressed.gzip(log))) else {
      Issue.record("twice compressed was opened twice")
      return
    }
  }

  @Test(arguments: [
    ("conn", ZeekLogKind.conn), ("conn_long", .conn), ("open_conn", .conn), ("http", .http), ("ssl", .ssl),
    ("ssh", .ssh), ("weird", .other("weird")),
  ])
  func takesTheKindFromThePath(path: String, kind: ZeekLogKind) throws {
    #expect(try Self.sniff("#separator \\x09\n#path\t\(path)\n#fields\tts\tuid\n") == .zeekTSV(kind))
  }

  @Test func guessesTheKindFromColumnsWhenThePathIsGone() throws {
    #expect(try Self.sniff("#fields\tts\tid.orig_h\tconn_state\n") == .zeekTSV(.conn))
    #expect(try Self.sniff(#"{"ts":1.5,"id.orig_h":"::1","query":"a","qtype":1}"#) == .zeekJSON(.dns))
    #expect(try Self.sniff(#"{"ts":1.5,"id.orig_h":"::1","method":"GET","uri":"/"}"#) == .zeekJSON(.http))
    #expect(
      try Self.sniff(#"{"ts":1.5,"id.orig_h":"::1","method":"INVITE","uri":"sip:x","call_id":"1"}"#)
        == .zeekJSON(.other("log")))
    #expect(try Self.sniff(#"{"ts":1.5,"_path":"ssh"}"#) == .zeekJSON(.ssh))
  }

  @Test func tellsTextFormatsByTheirFirstLine() throws {
    #expect(try Self.sniff(#"{"timestamp":"x","event_type":"flow"}"#) == .eve)
    #expect(try Self.sniff("StartTime,Dur,Proto\n") == .binetflow)
    #expect(try Self.sniff("StartTime\tDur\tProto\n") == .binetflow)
    #expect(try Self.sniff("1517336042.0\tCx\t10.0.0.1\t80\t10.0.0.2\t90\ttcp\n") == .headerlessTSV)
    #expect(try Self.sniff("") == .empty)
    #expect(try Self.sniff("\n\n") == .empty)
    for text in ["Lorem ipsum", "{\"name\":1}", "[{}]", "{\"cut", "\u{0}\u{1}\u{2}\u{3}\u{4}"] {
      guard case .unknown = try Self.sniff(text) else {
        Issue.record("took \(text) for a log")
        continue
      }
    }
  }

  @Test func seesAHeaderBehindBlanksOrAByteOrderMark() throws {
    #expect(try Self.sniff("\t#separator \\x09\n#path\tconn\n#fields\tts\n") == .zeekTSV(.conn))
    #expect(try Self.sniff("\u{feff}#separator \\x09\n#path\tconn\n#fields\tts\n") == .zeekTSV(.conn))
  }

  @Test func consumesNothing() throws {
    let window = try ByteWindow(bytes: Array("StartTime,Dur\n".utf8), name: "memory")
    _ = try FormatSniffer.sniff(window)
    #expect(window.offset == 0)
    #expect(window.bytes.count == 14)
  }
}
