import Foundation
import Testing

@testable import Mothlight

@Suite struct StateFolderTests {
  private func files(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("state-") }.sorted()
  }
  private func state(runs: UInt32) -> RollingState {
    var state = StateFixture.state()
    state.runs = runs
    return state
  }

  @Test func twoGenerationsStay() async throws {
    try await StateFixture.withFolder { folder in
      let path = "\(folder)/new"
      for run in 1...4 as ClosedRange<UInt32> {
        let open = try StateFolder(path: path)
        #expect(open.state.runs == run - 1)
        #expect(open.notes == [])
        try open.save(state(runs: run))
      }
      #expect(try files(path) == ["state-0000000003.mothlight", "state-0000000004.mothlight"])
      let mode = try FileManager.default.attributesOfItem(atPath: "\(path)/state-0000000004.mothlight")
      #expect(mode[.posixPermissions] as? Int == 0o600)
    }
  }

  /// What was let go is on the disk all the same, and a later save follows upon it.
  @Test func whatIsLetGoStaysOnDisk() async throws {
    try await StateFixture.withFolder { folder in
      do {
        let open = try StateFolder(path: folder)
        for run in 1...3 as ClosedRange<UInt32> {
          try open.save(state(runs: run))
          open.letGo()
          #expect(open.state.isEmpty)
        }
      }
      let again = try StateFolder(path: folder)
      #expect(again.state.runs == 3 && again.state.pairs == StateFixture.state().pairs)
      #expect(try files(folder) == ["state-0000000002.mothlight", "state-0000000003.mothlight"])
    }
  }

  @Test func twoRunsDoNotShareAFolder() async throws {
    try await StateFixture.withFolder { folder in
      try withExtendedLifetime(StateFolder(path: folder)) {
        let error = #expect(throws: StateError.self) { try StateFolder(path: folder) }
        #expect(error?.message == "\(folder): another run uses this state; wait for it to end")
      }
      _ = try StateFolder(path: folder)
    }
  }

  /// Dies at each step of each of several saves: what is there is the old state or the new one.
  @Test(arguments: StateFolder.Step.allCases)
  func deathAtAnyStepLeavesAState(_ step: StateFolder.Step) async throws {
    try await StateFixture.withFolder { folder in
      var expected: UInt32 = 0
      for run in 1...6 as ClosedRange<UInt32> {
        let open = try StateFolder(path: folder)
        #expect(open.state.runs == expected || open.state.runs == run - 1)
        #expect(open.notes == [])
        open.stopsAt = run.isMultiple(of: 2) ? step : nil
        try open.save(state(runs: run))
        let isDone = !run.isMultiple(of: 2) || step == .synchroniseFolder || step == .remove
        if isDone { expected = run }
        let again = try read(folder)
        #expect(again.state.runs == expected)
        #expect(again.state.pairs == StateFixture.state().pairs)
      }
    }
  }

  /// Reads a folder whose lock is held in this process.
  private func read(_ folder: String) throws -> (state: RollingState, count: Int) {
    let names = try files(folder)
    let newest = try #require(names.last)
    return (try StateFolder.read("\(folder)/\(newest)"), names.count)
  }

  /// Disk full, quota, broken device: one clear line, and the old state.
  @Test(arguments: [StateFolder.Step.create, .write, .synchronise, .rename])
  func failureKeepsTheOldState(_ step: StateFolder.Step) async throws {
    try await StateFixture.withFolder { folder in
      let open = try StateFolder(path: folder)
      try open.save(state(runs: 1))
      open.failsAt = (step, ENOSPC)
      let error = #expect(throws: StateError.self) { try open.save(state(runs: 2)) }
      #expect(
        error?.message
          == "\(folder): the state could not be saved (No space left on device); the old one is still there")
      #expect(try read(folder).state.runs == 1)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 2)
    }
  }

  @Test func damagedGenerationGivesWayToTheOneBefore() async throws {
    try await StateFixture.withFolder { folder in
      for run in 1...2 as ClosedRange<UInt32> { try StateFolder(path: folder).save(state(runs: run)) }
      let newest = "\(folder)/state-0000000002.mothlight"
      var bytes = try Data(contentsOf: URL(fileURLWithPath: newest))
      bytes[300] ^= 1
      try bytes.write(to: URL(fileURLWithPath: newest))
      let open = try StateFolder(path: folder)
      #expect(open.state.runs == 1)
      #expect(
        open.notes == [
          "\(newest): is damaged: its checksum does not agree; it was not used",
          "\(folder): the state before it, state-0000000001.mothlight, is used",
        ])
      try open.save(state(runs: 9))
      #expect(try files(folder) == ["state-0000000001.mothlight", "state-0000000003.mothlight"])
    }
  }

  @Test func newerGenerationIsLeftAlone() async throws {
    try await StateFixture.withFolder { folder in
      for run in 1...2 as ClosedRange<UInt32> { try StateFolder(path: folder).save(state(runs: run)) }
      let newest = "\(folder)/state-0000000002.mothlight"
      var bytes = try Data(contentsOf: URL(fileURLWithPath: newest))
      bytes[8] = 3
      try bytes.write(to: URL(fileURLWithPath: newest))
      let open = try StateFolder(path: folder)
      #expect(open.notes.first == "\(newest): was written by a newer Mothlight (state version 3); it was not used")
      #expect(open.state.runs == 1)
      try open.save(state(runs: 5))
      #expect(try files(folder).contains("state-0000000002.mothlight"))
    }
  }

  @Test func nothingReadableIsNoReasonToBeginAnew() async throws {
    try await StateFixture.withFolder { folder in
      try StateFixture.write("no state", "\(folder)/state-0000000007.mothlight")
      let error = #expect(throws: StateError.self) { try StateFolder(path: folder) }
      #expect(error?.message.contains("move the folder away to begin a new state") == true)
    }
  }

  @Test func pathsThatCannotBe() async throws {
    try await StateFixture.withFolder { folder in
      try StateFixture.write("x", "\(folder)/file")
      for path in ["\(folder)/file", "\(folder)/none/below", "/proc/mothlight"] {
        let error = #expect(throws: StateError.self) { try StateFolder(path: path) }
        #expect(error?.message.hasPrefix(path) == true)
      }
      // A link in place of the lock or of a state leads nowhere.
      try FileManager.default.createDirectory(atPath: "\(folder)/links", withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: "\(folder)/links/lock", withDestinationPath: "\(folder)/file")
      #expect(throws: StateError.self) { try StateFolder(path: "\(folder)/links") }
      #expect(try String(contentsOfFile: "\(folder)/file", encoding: .utf8) == "x")
    }
  }
}
