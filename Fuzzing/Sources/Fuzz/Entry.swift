import Glibc

@testable import Mothlight

/// One binary, many targets: `MOTHLIGHT_FUZZ` names the one to run, so that linking is paid once.
nonisolated(unsafe) private let target: (RawSpan) -> Void = {
  let name = getenv("MOTHLIGHT_FUZZ").map { String(cString: $0) } ?? ""
  guard let chosen = targets[name] else {
    print("MOTHLIGHT_FUZZ must be one of: \(targets.keys.sorted().joined(separator: " "))")
    exit(2)
  }
  return chosen
}()

nonisolated(unsafe) private let targets: [String: (RawSpan) -> Void] = [
  "packet": fuzzPacket, "dns": fuzzDNS, "stream": fuzzStream, "datagram": fuzzDatagram, "capture": fuzzCapture,
  "zeek-tsv": fuzzZeekTSV, "zeek-json": fuzzZeekJSON, "eve": fuzzEVE, "binetflow": fuzzBinetflow, "sniff": fuzzSniff,
  "gzip": fuzzGzip, "lists": fuzzLists, "address": fuzzAddress, "signatures": fuzzSignatures, "planted": fuzzPlanted,
  "sinkhole-dns": fuzzSinkholeDNS, "sinkhole-files": fuzzSinkholeFiles, "stub-reply": fuzzStubReply,
  "spool": fuzzSpool, "spool-block": fuzzSpoolBlock, "sketch": fuzzSketch, "rollup": fuzzRollup,
  "netflow5": fuzzNetFlow5, "netflow9": fuzzNetFlow9, "ipfix": fuzzIPFIX, "sflow": fuzzSFlow,
]

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  target(UnsafeRawBufferPointer(start: start, count: count).bytes)
  return 0
}

/// A bug on purpose: a fuzzer that does not find it within seconds sees nothing.
func fuzzPlanted(_ bytes: RawSpan) {
  let magic: [UInt8] = Array("MOTH".utf8)
  guard bytes.byteCount >= 4 else { return }
  for i in 0..<4 where bytes.unsafeLoad(fromByteOffset: i, as: UInt8.self) != magic[i] { return }
  fatalError("planted bug found")
}
