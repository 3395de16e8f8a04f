import CLinux
import Glibc
import Mothlight
import Synchronization

/// Watches an interface: frames are decoded and metered in one thread of its own, in the kernel's ring, without a copy.
///
/// Nothing is ever sent. Flows are given when they end or are open for longer than the active timeout, what is read from their
/// content at once.
public final class InterfaceSource: LiveSource {
  public let settings: InterfaceSettings
  public let meter: SourceMeter
  public var name: String { settings.name }
  private let prepared = Mutex<PacketRing?>(nil)

  public init(_ settings: InterfaceSettings) {
    self.settings = settings
    meter = SourceMeter(name: settings.name, kind: "interface", place: settings.interface, at: Clock.now())
  }

  /// Opens the interface now, while the program may: the next `run` uses it, also when privileges were given up meanwhile.
  /// An interface that goes away is opened anew, which takes CAP_NET_RAW again.
  /// - Throws: `notFound`, `notPermitted`, `unavailable`; one line that says what to do.
  public func prepare() throws(SourceError) {
    let settings = settings
    // In a thread of its own, since a namespace is entered for good.
    let made = Handover<Result<PacketRing, SourceError>>()
    let thread: WorkerThread
    do throws(WorkerThread.Refusal) {
      thread = try WorkerThread { made.put(Self.open(settings)) }
    } catch { throw SourceError(.unavailable, "\(settings.interface): no thread to open it (\(error.message))") }
    thread.join()
    guard let result = made.take() else { return }
    let ring = try result.get()
    prepared.withLock { $0 = ring }
  }

  private static func open(_ settings: InterfaceSettings) -> Result<PacketRing, SourceError> {
    do throws(SourceError) { return .success(try PacketRing(settings)) } catch { return .failure(error) }
  }

  public func run(into sink: any ObservationSink) async throws(SourceError) {
    let wake = WakeUp()
    let (settings, meter) = (settings, meter)
    let ready = prepared.withLock { ring in
      defer { ring = nil }
      return ring
    }
    let failure: SourceError? = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        do throws(WorkerThread.Refusal) {
          try WorkerThread {
            continuation.resume(returning: Self.capture(settings, ready, meter, sink, wake))
          }.detach()
        } catch {
          continuation.resume(
            returning: SourceError(
              .unavailable, "\(settings.interface): no thread to capture with (\(error.message))"))
        }
      }
    } onCancel: {
      wake.raise()
    }
    if let failure { throw failure }
  }

  private static func capture(
    _ settings: InterfaceSettings, _ ready: PacketRing?, _ meter: SourceMeter, _ sink: any ObservationSink,
    _ wake: WakeUp
  ) -> SourceError? {
    do throws(SourceError) {
      let ring = if let ready { ready } else { try PacketRing(settings) }
      var loop = CaptureLoop(settings, ring, meter, sink)
      return loop.run(until: wake)
    } catch { return error }
  }
}

/// Carries one value out of a thread.
final class Handover<Value: Sendable>: Sendable {
  private let place = Mutex<Value?>(nil)
  func put(_ value: Value) { place.withLock { $0 = value } }
  func take() -> Value? { place.withLock { $0 } }
}
