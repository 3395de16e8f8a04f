import Glibc
import Synchronization

/// Reads a zone file beside the running server; millions of names take seconds.
///
/// Here everything counts: a file with one problem is not taken, since the zones that run are better than some of the
/// new ones.
final class Reload: Sendable {
  struct Refusal: Error, Sendable {
    var lines: [String]
  }

  private let done = Mutex<Result<ServedZones, Refusal>?>(nil)

  /// `nil` while it reads.
  var result: Result<ServedZones, Refusal>? { done.withLock { $0 } }

  private final class Task {
    let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
  }

  init(_ path: String, _ settings: DNSSettings) {
    let task = Unmanaged.passRetained(Task { [self] in finish(Self.read(path, settings)) })
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { pointer in
        if let pointer { Unmanaged<Task>.fromOpaque(pointer).takeRetainedValue().body() }
        return nil
      }, task.toOpaque())
    if code == 0 {
      pthread_detach(thread)
    } else {
      task.release()
      finish(.failure(Refusal(lines: ["no thread to read \(path): \(String(cString: strerror(code)))"])))
    }
  }

  private func finish(_ result: Result<ServedZones, Refusal>) { done.withLock { $0 = result } }

  static func read(_ path: String, _ settings: DNSSettings) -> Result<ServedZones, Refusal> {
    do throws(ZoneFile.Problem) {
      let file = try ZoneFile.read(path)
      guard file.problemCount == 0 else {
        let more = file.problemCount - file.problems.count
        return .failure(
          Refusal(lines: file.problems.map(\.description) + (more > 0 ? ["and \(more) more like these"] : [])))
      }
      return .success(ServedZones(file, settings))
    } catch {
      return .failure(Refusal(lines: [error.description]))
    }
  }
}
