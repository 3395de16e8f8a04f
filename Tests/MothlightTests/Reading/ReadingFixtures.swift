import CZlib
import CZstd
import Glibc
import Testing

@testable import Mothlight

/// A folder that is gone after the test.
final class TemporaryFolder {
  let path: String

  init() throws {
    var template = Array("/tmp/mothlight-test-XXXXXX".utf8CString)
    path = try #require(mkdtemp(&template).map { String(cString: $0) })
  }

  deinit { remove(path) }

  private func remove(_ folder: String) {
    guard let handle = opendir(folder) else { return }
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name == "." || name == ".." { continue }
      let path = "\(folder)/\(name)"
      if unlink(path) != 0 { remove(path) }
    }
    closedir(handle)
    rmdir(folder)
  }

  @discardableResult
  func write(_ name: String, _ bytes: some Collection<UInt8>, mode: mode_t = 0o644) throws -> String {
    var folder = path
    for part in name.split(separator: "/").dropLast() {
      folder += "/\(part)"
      mkdir(folder, 0o755)
    }
    let file = "\(path)/\(name)"
    let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC, mode)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    let array = Array(bytes)
    #expect(Glibc.write(descriptor, array, array.count) == array.count)
    return file
  }

  @discardableResult
  func write(_ name: String, _ text: String, mode: mode_t = 0o644) throws -> String {
    try write(name, Array(text.utf8), mode: mode)
  }
}

enum Compressed {
  /// One gzip member.
  static func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    deflateInit2_(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    var input = bytes
    var out = [UInt8](repeating: 0, count: bytes.count + 1024)
    let room = out.count
    input.withUnsafeMutableBufferPointer { source in
      out.withUnsafeMutableBufferPointer { target in
        stream.next_in = source.baseAddress
        stream.avail_in = UInt32(source.count)
        stream.next_out = target.baseAddress
        stream.avail_out = UInt32(target.count)
        deflate(&stream, Z_FINISH)
      }
    }
    let count = room - Int(stream.avail_out)
    deflateEnd(&stream)
    return Array(out.prefix(count))
  }

  /// One zstd frame.
  static func zstd(_ bytes: [UInt8]) -> [UInt8] {
    var out = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
    let count = ZSTD_compress(&out, out.count, bytes, bytes.count, 3)
    return Array(out.prefix(count))
  }
}

/// Everything that one read of an input gave.
struct Reading {
  var observations: [Observation] = []
  var summary: InputSummary
  var error: SourceError?

  var flows: [Flow] { observations.compactMap { if case .flow(let flow) = $0.event { flow } else { nil } } }
  var lookups: [DNSLookup] { observations.compactMap { if case .dns(let event) = $0.event { event } else { nil } } }
  var handshakes: [TLSHandshake] {
    observations.compactMap { if case .tls(let event) = $0.event { event } else { nil } }
  }
  var exchanges: [HTTPExchange] {
    observations.compactMap { if case .http(let event) = $0.event { event } else { nil } }
  }
  var secureShells: [SSHHandshake] {
    observations.compactMap { if case .ssh(let event) = $0.event { event } else { nil } }
  }

  init(_ reader: any RecordReader, limit: Int = 7) {
    summary = reader.summary
    do throws(SourceError) {
      while try reader.read(into: &observations, limit: limit) {}
    } catch {
      self.error = error
    }
    summary = reader.summary
  }

  /// Bytes as if they were a file, through the sniffer.
  init(bytes: [UInt8], index: UInt32 = 0, limit: Int = 7) throws {
    let window = try ByteWindow(bytes: bytes, name: "memory")
    self.init(try Inputs.reader(window, path: "memory", index: index, isFile: false), limit: limit)
  }

  init(text: String, index: UInt32 = 0, limit: Int = 7) throws {
    try self.init(bytes: Array(text.utf8), index: index, limit: limit)
  }
}

/// A small generator with a fixed start, so that a failure comes again.
struct Lottery: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ state >> 29
  }
}

func address(_ text: String) -> IPAddress { IPAddress(text) ?? .unspecified }
