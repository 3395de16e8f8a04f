import CLinux
import Glibc

/// One descriptor kept back for the moment when no other is left: with it a waiting connection can be taken in and closed.
/// Left where it is, it would wake the loop for ever and keep those behind it waiting.
final class SpareDescriptor {
  private var descriptor: Int32

  init() { descriptor = Self.make() }

  deinit { if descriptor >= 0 { close(descriptor) } }

  private static func make() -> Int32 { open("/dev/null", O_RDONLY | O_CLOEXEC) }

  /// Takes in one connection and closes it.
  /// - Returns: whose it was; `nil` when there is none, or when another thread was quicker to take the descriptor.
  func refuse(on listening: Int32) -> clinux_end? {
    if descriptor < 0 { descriptor = Self.make() }
    guard descriptor >= 0 else { return nil }
    close(descriptor)
    var peer = clinux_end()
    let taken = clinux_accept(listening, &peer)
    if taken >= 0 { close(taken) }
    descriptor = Self.make()
    return taken >= 0 ? peer : nil
  }
}
