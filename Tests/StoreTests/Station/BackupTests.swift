import Foundation
import GRDB
import Mothlight
import Testing

@testable import MothlightStore

@Suite struct BackupTests {
  private let now = StationFixture.now
  private let today = StationFixture.today

  /// A copy made while others write holds what one moment held: whole transactions, none in part.
  @Test func aCopyIsOfOneMoment() async throws {
    let (now, today) = (self.now, self.today)
    try await StationFixture.withStore { store, path in
      let days = (0..<250).map { StationFixture.plain("10.0.0.\($0)", day: today, verdict: .suspicious) }
      try await store.keep(days, run: "a", at: now)
      let copy = path + ".copy"
      async let written: Void = {
        for n in 1...30 {
          try await store.keep(
            (0..<10).map { StationFixture.plain("10.\(n).0.\($0)", day: today, verdict: .suspicious) }, run: "b",
            at: now)
        }
      }()
      let reader = try SQLiteStore(reading: path, because: "is being copied")
      var told: (Int64, Int64) = (0, 0)
      let progress = Progress()
      let octets = try reader.backup(to: copy) { progress.note($0, $1) }
      reader.close()
      try await written
      told = progress.last
      #expect(told.0 == told.1 && told.1 > 0)
      #expect(octets > 0)
      let again = StationStore(try SQLiteStore(path: copy, at: now, alwaysCheck: true))
      let rows = await again.condition().hostDays
      #expect(rows >= 250 && rows % 10 == 0)
      #expect(try await again.check(at: now) == [])
      again.close()
      #expect(await store.condition().hostDays == 550)
    }
  }

  /// Called by the copying thread alone.
  private final class Progress {
    var last: (Int64, Int64) = (0, 0)
    func note(_ done: Int64, _ all: Int64) { last = (done, all) }
  }

  @Test func nothingIsOverwrittenAndNothingHalfIsLeft() async throws {
    try await StationFixture.withStore { store, path in
      try Data("mine".utf8).write(to: URL(fileURLWithPath: path + ".copy"))
      #expect(throws: StoreError(.refused, "")) { try store.file.backup(to: path + ".copy") }
      #expect(try String(contentsOfFile: path + ".copy", encoding: .utf8) == "mine")
      #expect(throws: StoreError(.unwritable, "")) { try store.file.backup(to: path + ".none/copy") }
      let folder = (path as NSString).deletingLastPathComponent
      let files = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(files.allSatisfy { !$0.contains(".part") })
    }
  }

  @Test func aDamagedStoreIsNotCopiedAsWhole() async throws {
    try await StationFixture.withFolder { folder in
      let path = folder + "/store.sqlite"
      let pages = try await DamageTests.fill(path)
      try DamageTests.overwrite(path, pages: [pages / 2])
      let reader = try SQLiteStore(reading: path, because: "is being copied")
      #expect(throws: StoreError(.damaged, "")) { try reader.backup(to: folder + "/copy") }
      reader.close()
      #expect(!FileManager.default.fileExists(atPath: folder + "/copy"))
      #expect(!FileManager.default.fileExists(atPath: folder + "/copy.part"))
    }
  }
}
