import Foundation
import Mothlight
import MothlightStation
import MothlightStore
import Synchronization

/// A station from its first line to its last: opens what it needs, runs it side by side, and stops it in good order.
struct StationRun: Sendable {
  private let configuration: StationConfiguration
  private let reread: @Sendable () throws -> StationConfiguration
  private let log: StationLog

  init(_ configuration: StationConfiguration, reread: @escaping @Sendable () throws -> StationConfiguration) {
    self.configuration = configuration
    self.reread = reread
    log = StationLog(format: configuration.log)
  }

  func run() async throws {
    Heap.giveBackFreedBlocks()
    // Before anything is made, so that a second station leaves nothing behind.
    if let serving = configuration.serving {
      do { try DashboardServer.check(serving.listen) } catch { throw Failure("\(error)") }
    }
    let signals = try StationSignals.stream()
    let folder = try StationFolder(configuration.data)
    let parts = try await StationParts(configuration, folder, log)
    for source in parts.sources { await prepare(source) }
    if let user = configuration.user {
      do { try Privileges.drop(to: user) } catch { throw Failure("user: \(error)") }
    }
    try await work(parts, folder, signals)
  }

  /// Opens what needs rights while there are any. What fails here is tried again by the supervisor.
  private func prepare(_ source: any LiveSource) async {
    guard let interface = source as? InterfaceSource else { return }
    do throws(SourceError) { try interface.prepare() } catch { log(.warning, "\(source.name): \(error.message)") }
  }

  private func work(
    _ parts: StationParts, _ folder: StationFolder, _ signals: AsyncStream<Int32>
  ) async throws {
    // Before anything can happen, so that nothing is missed.
    let events = parts.board.events()
    let notes = Task { await tell(events, parts.board) }
    let pipeline = Task { await parts.pipeline.run() }
    let supervisor = parts.supervisor
    let instruments = Task { await supervisor.run(parts.sources) }
    let upkeep = Task { await parts.upkeep() }
    let failures = AsyncStream.makeStream(of: (any Error).self)
    let server = parts.pages.map { pages in
      Task {
        do { try await pages.run() } catch { failures.continuation.yield(error) }
      }
    }
    log(
      "\(parts.sources.count == 1 ? "one source" : "\(parts.sources.count) sources"); what is kept is in \(folder.path)"
    )
    let failure = await wait(parts, signals, failures.stream)
    log("stopping")
    let limit = StopLimit(parts.board, log, failure.map { "\($0)" })
    notes.cancel()
    upkeep.cancel()
    server?.cancel()
    instruments.cancel()
    let stuck = await instruments.value
    for name in stuck { log(.warning, "\(name): did not stop in time") }
    pipeline.cancel()
    await pipeline.value
    for trouble in await parts.pipeline.lastTroubles { log(.warning, "last judgement: \(trouble)") }
    await server?.value
    parts.close()
    limit.lift()
    if let failure { throw Failure("\(failure)") }
    log("stopped")
  }

  /// Until a signal ends it, or the server cannot go on.
  private func wait(
    _ parts: StationParts, _ signals: AsyncStream<Int32>, _ failures: AsyncStream<any Error>
  ) async -> (any Error)? {
    let first = Task { () -> (any Error)? in
      for await error in failures { return error }
      return nil
    }
    let ended = Task { () -> Bool in
      for await signal in signals {
        if signal != SIGHUP { return true }
        await parts.reload(Result { try reread() })
      }
      return true
    }
    return await withTaskGroup(of: (any Error)?.self) { group in
      group.addTask { await first.value }
      group.addTask {
        _ = await ended.value
        return nil
      }
      let result = await group.next() ?? nil
      first.cancel()
      ended.cancel()
      return result
    }
  }

  /// Says on the log what sources do.
  private func tell(_ events: AsyncStream<StatusBoard.Event>, _ board: StatusBoard) async {
    for await event in events {
      guard case .source(let name, let state) = event else { continue }
      let health = board.sources.last { $0.name == name }
      switch state {
      case .waiting: log(.warning, "\(name): \(health?.trouble ?? "failed"); tried again")
      case .running: log("\(name): running")
      case .stopped: log("\(name): ended")
      case .starting: break
      }
    }
  }
}

/// A judgement of full tables takes longer than a stop may: then it is dropped, as by a kill, which loses nothing that was written.
private final class StopLimit: Sendable {
  /// Service managers and people expect five.
  private static let seconds = 4.5
  private let isLifted = Mutex(false)

  /// On a thread of its own: judging may hold all that tasks have.
  /// - Parameter failure: why it stops, when that was nobody's wish.
  init(_ board: StatusBoard, _ log: StationLog, _ failure: String?) {
    DispatchQueue(label: "stop").asyncAfter(deadline: .now() + Self.seconds) { [self] in
      guard isLifted.withLock({ !$0 }) else { return }
      let judged = board.pipeline.judged.map { "since \($0)" } ?? "so far"
      log(
        .warning,
        "stopped without a last judgement, which would take too long: what came in \(judged) is not in the store")
      guard let failure else { _exit(0) }
      Terminal.complain(failure)
      _exit(2)
    }
  }

  func lift() { isLifted.withLock { $0 = true } }
}

/// The folder of everything that a station keeps.
struct StationFolder {
  let path: String

  init(_ path: String) throws {
    self.path = path
    if mkdir(path, 0o750) != 0, errno != EEXIST {
      throw Failure("\(path): the data folder cannot be made (\(String(cString: strerror(errno))))")
    }
    guard access(path, W_OK | X_OK) == 0 else { throw Failure("\(path): the data folder cannot be written to") }
  }

  var store: String { "\(path)/store.sqlite" }
  var state: String { "\(path)/state" }
  var home: String { "\(path)/home" }
  var tls: String { "\(path)/tls" }
  var pseudonyms: String { "\(path)/pseudonyms.key" }
  var positions: String { "\(path)/positions" }

  func learnedHome() -> Home? { (try? String(contentsOfFile: home, encoding: .utf8)).flatMap { Home(kept: $0) } }

  func keep(_ learned: Home) {
    guard !learned.wasGiven else { return }
    try? Data(learned.kept.utf8).write(to: URL(filePath: home), options: .atomic)
  }
}
