import Foundation
import Mothlight
import MothlightStation
import MothlightStore
import Synchronization

/// Everything of a station that runs, made from one configuration.
final class StationParts: Sendable {
  let board: StatusBoard
  let pipeline: StationPipeline
  let supervisor: Supervisor
  let sources: [any LiveSource]
  let pages: StationPages?
  private let store: StationStore
  private let census: CensusDesk?
  private let maker: SourceMaker
  private let log: StationLog
  private let running: Mutex<Running>

  /// What a reload changes.
  private struct Running {
    var configuration: StationConfiguration
    var sources: [String: any LiveSource]
  }

  /// Seconds between two censuses of what the spools hold, and between two looks at what has to go.
  private static let (censusSeconds, retentionSeconds) = (300.0, 3600.0)
  private let checks: StoreRound

  init(_ configuration: StationConfiguration, _ folder: StationFolder, _ log: StationLog) async throws {
    self.log = log
    board = StatusBoard(at: StationLog.now())
    do throws(StoreError) {
      store = try StationStore.open(folder.store, rules: configuration.cases, at: StationLog.now())
    } catch { throw Failure(error.message) }
    checks = StoreRound(store, log)
    if let trouble = store.file.trouble { log(.error, "only reading: \(trouble)") }
    let shared = SharedAnswers(store)
    let saver = try StateSaver(folder.state)
    for note in saver.notes { log(.warning, "state: \(note)") }
    var options = try Self.options(configuration)
    options.state = saver.begin()
    let directory = try Self.directory(configuration)
    let hasSpools = configuration.sources.contains { if case .spool = $0.place { true } else { false } }
    census = hasSpools ? CensusDesk(networks: directory, version: Mothlight.version) : nil
    maker = SourceMaker(positions: folder.positions, census: census)
    let made = try configuration.sources.map(maker.source)
    sources = made
    running = Mutex(
      Running(
        configuration: configuration,
        sources: Dictionary(made.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })))
    let home = configuration.home.isEmpty ? folder.learnedHome() : nil
    let observatory = try configured { [options] () throws(ConfigurationError) in
      try Observatory(options, home: home, version: Mothlight.version)
    }
    var settings = StationPipeline.Settings()
    settings.judgeSeconds = Double(configuration.judgeSeconds)
    let around = StationPipeline.Surroundings(
      store: shared, board: board, clock: { StationLog.now() },
      saveState: { state in
        if let state { try saver.save(state) }
        SourceMaker.commit(made)
      },
      saveHome: { folder.keep($0) })
    pipeline = StationPipeline(observatory, settings, around)
    let pipeline = pipeline
    supervisor = Supervisor(board: board) { pipeline.sink(for: $0) }
    guard let serving = configuration.serving else {
      pages = nil
      return
    }
    pages = try await StationPages(
      serving, folder,
      StationPages.Rooms(
        store: shared, file: store.file, census: census, board: board, networks: directory,
        privacy: try Self.privacy(configuration, folder, store, board, home, log)), log)
  }

  /// - Parameter learned: the home network that was learned in an earlier run.
  private static func privacy(
    _ configuration: StationConfiguration, _ folder: StationFolder, _ store: StationStore, _ board: StatusBoard,
    _ learned: Home?, _ log: StationLog
  ) throws -> StationPrivacy {
    let given = configuration.privacy
    guard given.readers != .nobody else { return StationPrivacy(tlp: given.tlp) }
    let path = given.key ?? folder.pseudonyms
    let (key, isNew) = try configured { () throws(ConfigurationError) in
      try SecretFile.open(path, octets: ReportAnonymiser.keyOctets)
    }
    if isNew { log("\(path): a new key of pseudonyms was made") }
    let known = configuration.home + (learned?.prefixes ?? [])
    return try configured { () throws(ConfigurationError) in
      try StationPrivacy(
        given.readers, tlp: given.tlp, store: store, key: key, home: { known + board.pipeline.home },
        clock: { StationLog.now() })
    }
  }

  private static func options(_ configuration: StationConfiguration) throws -> ReadOptions {
    var options = ReadOptions()
    options.home = configuration.home
    options.registry = try configured { () throws(ConfigurationError) in try Registry.load(paths: configuration.lists) }
    options.networks = try configured { () throws(ConfigurationError) in
      try NetworkFiles.open(configuration.networks)
    }
    if !configuration.signatures.isEmpty { try SignatureChoice.use(configuration.signatures) }
    options.allow = try allow(configuration)
    return options
  }

  private static func allow(_ configuration: StationConfiguration) throws -> AllowList {
    var list = AllowList()
    for path in configuration.allow {
      let text = try TextFile.read(path, "one rule a line is needed", place: "allow: ")
      list.rules += try configured { () throws(ConfigurationError) in try AllowList(text: text, name: path) }.rules
    }
    return list
  }

  /// What is named, else what is installed.
  private static func directory(_ configuration: StationConfiguration) throws -> (any NetworkDirectory)? {
    try configured { () throws(ConfigurationError) in
      configuration.networks.isEmpty
        ? try NetworkFiles.openOrInstalled(nil) : try NetworkFiles.open(configuration.networks)
    }
  }

  // MARK: Running

  /// Counts spools and removes what is past its time, until cancelled.
  func upkeep() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.countAgainAndAgain() }
      group.addTask { await self.pruneAgainAndAgain() }
      group.addTask { await self.checks.run() }
    }
  }

  private func countAgainAndAgain() async {
    guard let census else { return }
    // The first one soon: a spool is read within seconds.
    var pause = 5.0
    while !Task.isCancelled {
      try? await Task.sleep(for: .seconds(pause))
      guard !Task.isCancelled else { return }
      if await census.count() {
        board.publish(.census)
        pause = Self.censusSeconds
      }
      if let trouble = await census.trouble { log(.warning, trouble) }
    }
  }

  private func pruneAgainAndAgain() async {
    while !Task.isCancelled {
      guard store.file.trouble == nil else { return }
      let days = running.withLock { $0.configuration.keepDays }
      do throws(StoreError) {
        let pruned = try await store.prune(Retention(detailDays: days), at: StationLog.now())
        if pruned.days > 0 { log("\(pruned.days) days older than \(days) were summed up and their detail removed") }
      } catch { if !Task.isCancelled { log(.warning, "retention: \(error.message)") } }
      try? await Task.sleep(for: .seconds(Self.retentionSeconds))
    }
  }

  /// Takes over what can change while it runs, and says what cannot.
  func reload(_ read: Result<StationConfiguration, any Error>) async {
    let next: StationConfiguration
    let allow: AllowList
    do {
      next = try read.get()
      allow = try Self.allow(next)
    } catch {
      log(.error, "not reloaded, the old configuration stays: \((error as? Failure)?.message ?? "\(error)")")
      return
    }
    let (old, known) = running.withLock { ($0.configuration, $0.sources) }
    await pipeline.update(allow: allow, judgeSeconds: Double(next.judgeSeconds))
    var sources = known
    for source in old.sources where !next.sources.contains(source) {
      if await !supervisor.stop(source.name) { log(.warning, "\(source.name): did not stop in time") }
      sources[source.name] = nil
      board.remove(source: source.name)
    }
    for source in next.sources where !old.sources.contains(source) {
      do {
        let made = try maker.source(source)
        sources[source.name] = made
        await supervisor.start(made)
      } catch { log(.error, "\(source.name): not started: \((error as? Failure)?.message ?? "\(error)")") }
    }
    let kept = sources
    running.withLock {
      $0.configuration = next
      $0.sources = kept
    }
    let fixed = Self.fixed(old, next)
    log("reloaded\(fixed.isEmpty ? "" : "; at the next start only: \(fixed.joined(separator: ", "))")")
  }

  /// Keys whose change takes a restart.
  private static func fixed(_ old: StationConfiguration, _ next: StationConfiguration) -> [String] {
    let changes: [(String, Bool)] = [
      ("data", old.data != next.data), ("home", old.home != next.home), ("lists", old.lists != next.lists),
      ("signatures", old.signatures != next.signatures), ("networks", old.networks != next.networks),
      ("cases", old.cases != next.cases), ("privacy", old.privacy != next.privacy),
      ("serve", old.serving != next.serving), ("user", old.user != next.user),
      ("log", old.log != next.log),
    ]
    return changes.filter(\.1).map(\.0)
  }

  /// After everything has stopped.
  func close() { store.close() }
}

/// The folder of the state between runs, for the pipeline's task.
private final class StateSaver: Sendable {
  private let folder: Mutex<StateFolder>
  let notes: [String]

  init(_ path: String) throws {
    let opened: StateFolder
    do { opened = try StateFolder(path: path) } catch { throw Failure(error.message) }
    notes = opened.notes
    folder = Mutex(opened)
  }

  /// What the first run begins with.
  func begin() -> RollingState {
    folder.withLock { folder in
      defer { folder.letGo() }
      return folder.state
    }
  }

  func save(_ state: RollingState) throws {
    try folder.withLock { folder in
      defer { folder.letGo() }
      try folder.save(state)
    }
  }
}
