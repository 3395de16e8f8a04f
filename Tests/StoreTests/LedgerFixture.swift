import Foundation
import Mothlight
import MothlightStore

/// Small files in the shapes that the sources publish, made by hand with documentation addresses.
enum LedgerFixture {
  static let now = Timestamp(seconds: 1_780_000_000)

  static func withFolder<T>(_ body: (String) throws -> T) throws -> T {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mothlight-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder.path)
  }

  static func withLedger<T>(fullText: Bool = true, _ body: (Ledger, SQLiteStore) throws -> T) throws -> T {
    try withFolder { folder in
      let store = try SQLiteStore(path: folder + "/a.sqlite", mode: .create, at: now, wantsFullText: fullText)
      defer { store.close() }
      return try body(Ledger(store), store)
    }
  }

  static func parse(_ text: String, _ path: String = "demo") throws -> RegistryImport {
    try FeedFile.parse(Array(text.utf8), path: path, date: now)
  }

  @discardableResult
  static func take(_ texts: String..., into ledger: Ledger) throws -> RegistryChanges {
    try ledger.apply(try texts.map { try parse($0) }, author: "test", at: now)
  }

  static func uuid(_ number: Int) -> String {
    let digits = String(number)
    return "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
  }

  static func galaxy(_ entries: [(number: Int, name: String, synonyms: [String])], type: String = "botnet") -> String {
    let values = entries.map { entry in
      let synonyms = entry.synonyms.map { "\"\($0)\"" }.joined(separator: ",")
      return """
        {"value": "\(entry.name)", "uuid": "\(uuid(entry.number))", "description": "not taken",
         "meta": {"synonyms": [\(synonyms)], "refs": ["https://example.org/\(entry.number)"]}}
        """
    }
    return "{\"type\": \"\(type)\", \"uuid\": \"\(uuid(0))\", \"values\": [\n\(values.joined(separator: ",\n"))\n]}"
  }

  static func feodo(_ rows: [(ip: String, status: String, first: String, last: String, malware: String)]) -> String {
    "# remark\n\"first_seen_utc\",\"dst_ip\",\"dst_port\",\"c2_status\",\"last_online\",\"malware\"\n"
      + rows.map { "\"\($0.first)\",\"\($0.ip)\",\"443\",\"\($0.status)\",\"\($0.last)\",\"\($0.malware)\"\n" }.joined()
  }
}
