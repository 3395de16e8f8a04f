import Foundation

@testable import Mothlight

/// A capture read back by hand, independent of the library's own reader.
struct CaptureBytes {
  struct Record {
    var time: Int64
    var original: Int
    var frame: [UInt8]

    func number(_ at: Int, _ width: Int) -> Int { (0..<width).reduce(0) { $0 << 8 | Int(frame[at + $1]) } }
    var isWhole: Bool { frame.count == original }
    var isTCP: Bool { frame[23] == 6 }
    /// `source:port>destination:port/protocol`
    var tuple: String {
      let source = frame[26..<30].map(String.init).joined(separator: ".")
      let destination = frame[30..<34].map(String.init).joined(separator: ".")
      return "\(source):\(number(34, 2))>\(destination):\(number(36, 2))/\(frame[23])"
    }
    /// RFC 1071 over the frame from `start`, written anew here.
    func onesComplement(from start: Int, adding initial: Int) -> Int {
      var sum = initial
      var at = start
      while at < frame.count {
        sum += Int(frame[at]) << 8 + (at + 1 < frame.count ? Int(frame[at + 1]) : 0)
        at += 2
      }
      while sum > 0xffff { sum = (sum & 0xffff) + (sum >> 16) }
      return sum
    }
  }

  var header: [UInt8]
  var records: [Record] = []
  /// Octets after the last whole record.
  var left = 0

  init(_ data: [UInt8]) {
    header = Array(data.prefix(24))
    func little(_ at: Int) -> Int { (0..<4).reduce(0) { $0 | Int(data[at + $1]) << ($1 * 8) } }
    var at = 24
    while at + 16 <= data.count, at + 16 + little(at + 8) <= data.count {
      let length = little(at + 8)
      records.append(
        Record(
          time: Int64(little(at)) * 1_000_000 + Int64(little(at + 4)), original: little(at + 12),
          frame: Array(data[(at + 16)..<(at + 16 + length)])))
      at += 16 + length
    }
    left = data.count - at
  }
}

/// A folder that is removed when the test ends.
final class ScratchFolder {
  let path = NSTemporaryDirectory() + "mothlight-simulation-\(UUID().uuidString)"
  deinit { try? FileManager.default.removeItem(atPath: path) }
  func bytes(_ name: String) throws -> [UInt8] { try Array(Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)"))) }
  func lines(_ name: String) throws -> [String] {
    String(decoding: try bytes(name), as: UTF8.self).split(separator: "\n").map(String.init)
  }
}
