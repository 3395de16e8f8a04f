import Glibc

/// A thread of its own for a loop that never yields; Swift's pool is for work that does.
struct WorkerThread {
  private let handle: pthread_t

  private final class Task {
    let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
  }

  /// What the system says when it gives no thread.
  struct Refusal: Error {
    var code: Int32
    var message: String { String(cString: strerror(code)) }
  }

  /// Octets of stack: no worker goes deep.
  private static let stackOctets = 1 << 20

  init(_ body: @escaping @Sendable () -> Void) throws(Refusal) {
    let task = Unmanaged.passRetained(Task(body))
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setstacksize(&attributes, Self.stackOctets)
    defer { pthread_attr_destroy(&attributes) }
    var handle = pthread_t()
    let code = pthread_create(
      &handle, &attributes,
      { pointer in
        if let pointer { Unmanaged<Task>.fromOpaque(pointer).takeRetainedValue().body() }
        return nil
      }, task.toOpaque())
    guard code == 0 else {
      task.release()
      throw Refusal(code: code)
    }
    self.handle = handle
  }

  func join() { pthread_join(handle, nil) }

  /// Nobody waits for it.
  func detach() { pthread_detach(handle) }
}
