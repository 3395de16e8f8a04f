@testable import Mothlight

private func window(_ bytes: RawSpan) -> ByteWindow? {
  bytes.withUnsafeBytes { try? ByteWindow(bytes: Array($0), name: "fuzz") }
}

private func drain(_ reader: some RecordReader) {
  var batch: [Observation] = []
  for _ in 0..<10_000 {
    guard (try? reader.read(into: &batch, limit: 64)) == true else { break }
    batch.removeAll(keepingCapacity: true)
  }
}

func fuzzCapture(_ bytes: RawSpan) {
  guard let window = window(bytes), let reader = try? CaptureReader(window: window, path: "fuzz", index: 0) else {
    return
  }
  drain(reader)
}

func fuzzZeekTSV(_ bytes: RawSpan) {
  guard let window = window(bytes) else { return }
  drain(ZeekReader(window: window, path: "fuzz", index: 0, format: .zeekTSV(.conn)))
}

func fuzzZeekJSON(_ bytes: RawSpan) {
  guard bytes.byteCount > 0, let window = window(bytes) else { return }
  let kinds: [ZeekLogKind] = [.conn, .dns, .http, .ssl, .ssh, .irc]
  drain(ZeekReader(window: window, path: "fuzz", index: 0, format: .zeekJSON(kinds[bytes.byteCount % kinds.count])))
}

func fuzzEVE(_ bytes: RawSpan) {
  guard let window = window(bytes) else { return }
  drain(EVEReader(window: window, path: "fuzz", index: 0))
}

func fuzzBinetflow(_ bytes: RawSpan) {
  guard let window = window(bytes) else { return }
  drain(BinetflowReader(window: window, path: "fuzz", index: 0))
}

func fuzzSniff(_ bytes: RawSpan) {
  guard let window = window(bytes) else { return }
  _ = try? FormatSniffer.sniff(window)
}

func fuzzGzip(_ bytes: RawSpan) {
  guard let window = window(bytes) else { return }
  while (try? window.fill(atLeast: 1)) == true, window.offset < 16 << 20 { window.consume(window.bytes.count) }
}

func fuzzLists(_ bytes: RawSpan) {
  let text = bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
  _ = try? IndicatorList(text: text, path: "fuzz")
  _ = try? AllowList(text: text, name: "fuzz")
}

func fuzzSignatures(_ bytes: RawSpan) {
  guard let file = try? SignatureFile(bytes: bytes.withUnsafeBytes { Array($0) }, path: "fuzz") else { return }
  _ = file.failures
  _ = try? SignatureFile.merged([file])
}
