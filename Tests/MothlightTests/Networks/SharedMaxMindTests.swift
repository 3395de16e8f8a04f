import Foundation
import Testing

@testable import Mothlight

/// MaxMind's own test databases and the data that they were made from, where the shared folder has them.
@Suite struct SharedMaxMindTests {
  /// `unpack` beside the data, next to this project; tests pass without it.
  private static let unpack = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
    .appending(path: "../../../../shared/data/unpack").standardized
  private static let isThere = FileManager.default.isExecutableFile(atPath: unpack.path)

  /// Unpacked once, whichever test comes first.
  private static let folder: URL? = {
    let folder = FileManager.default.temporaryDirectory.appending(path: "mothlight-shared-formats")
    let process = Process()
    process.executableURL = unpack
    process.arguments = [folder.path, "formats"]
    process.standardOutput = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    process.waitUntilExit()
    return process.terminationStatus == 0 ? folder.appending(path: "formats/maxmind-test") : nil
  }()

  private struct Entry {
    var prefix: Prefix
    var record: NetworkRecord
    var isEmpty: Bool { record.system == nil && record.systemName == nil && record.country == nil }
  }

  /// `::1.2.3.0/120` is where a file for both families keeps 1.2.3.0/24.
  private static func prefix(_ text: String) -> Prefix? {
    let parts = text.split(separator: "/")
    guard parts.count == 2, let address = IPAddress(String(parts[0])), let length = Int(parts[1]) else { return nil }
    guard !address.isV4, address.high == 0, address.low >> 32 == 0, length >= 96 else {
      return Prefix(address, length: length)
    }
    return Prefix(IPAddress(v4: UInt32(truncatingIfNeeded: address.low)), length: length - 96)
  }

  private static func entries(_ file: URL) throws -> [Entry] {
    let list = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [[String: [String: Any]]])
    return list.joined().compactMap { key, values in
      guard let prefix = prefix(key) else { return nil }
      func code(_ name: String) -> String? { (values[name] as? [String: Any])?["iso_code"] as? String }
      let traits = values["autonomous_system_number"] as? Int
      return Entry(
        prefix: prefix,
        record: NetworkRecord(
          prefix: prefix, system: traits.map { UInt32(clamping: $0) },
          systemName: values["autonomous_system_organization"] as? String ?? values["organization"] as? String,
          country: code("country") ?? code("registered_country")))
    }
  }

  /// The first address of every prefix gives what MaxMind wrote there.
  @Test(
    .enabled(if: isThere, "../shared/data is absent"),
    arguments: [
      ("GeoLite2-ASN-Test", 700), ("GeoIP2-ISP-Test", 2000), ("GeoLite2-Country-Test", 240),
      ("GeoIP2-Country-Test", 340), ("GeoLite2-City-Test", 240), ("GeoIP2-City-Test", 250),
    ])
  func lookUpsGiveWhatWasWritten(_ name: String, _ least: Int) throws {
    let folder = try #require(Self.folder)
    let entries = try Self.entries(folder.appending(path: "source-data/\(name).json"))
    #expect(entries.count >= least)
    let directory = try NetworkFiles.open(folder.appending(path: "test-data/\(name).mmdb").path)
    var compared = 0
    for entry in entries {
      let found = directory.records(of: [entry.prefix.address])
      // A longer prefix that begins at the same address is the one that counts there.
      let holder = entries.filter { $0.prefix.contains(entry.prefix.address) }
        .max { $0.prefix.bits < $1.prefix.bits }
      let expected = try #require(holder)
      // Neighbours that say the same are one prefix in the file, and a large one around a smaller is cut.
      var record = try #require(found.first)
      #expect(record?.prefix.contains(entry.prefix.address) ?? expected.isEmpty)
      record?.prefix = expected.prefix
      #expect(record == (expected.isEmpty ? nil : expected.record), "\(name) \(entry.prefix)")
      compared += 1
    }
    #expect(compared == entries.count)
  }

  /// Files that MaxMind broke on purpose are refused or give nothing; none ends the program.
  @Test(.enabled(if: isThere, "../shared/data is absent"))
  func brokenFilesAreSurvived() throws {
    let folder = try #require(Self.folder).appending(path: "test-data")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".mmdb") }
    #expect(files.count >= 40)
    let addresses = ["1.1.1.1", "128.1.2.3", "255.255.255.255", "0.0.0.0", "::1", "2001:218::1", "fe80::1"]
      .compactMap { IPAddress($0) }
    for file in files {
      do throws(ConfigurationError) {
        let directory = try NetworkFiles.open(folder.appending(path: file).path)
        #expect(directory.records(of: addresses).count == addresses.count)
      } catch { #expect(error.message.contains(file)) }
    }
  }
}
