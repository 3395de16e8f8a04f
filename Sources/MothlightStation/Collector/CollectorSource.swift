import CLinux
import Glibc
import Mothlight

/// Listens for NetFlow v5 and v9, IPFIX and sFlow v5 on one UDP port. Never sends, never waits for the pipeline.
public final class CollectorSource: LiveSource {
  public let settings: CollectorSettings
  public let meter: SourceMeter
  public var name: String { settings.name }

  public init(_ settings: CollectorSettings) {
    self.settings = settings
    meter = SourceMeter(name: settings.name, kind: "flows", place: "udp \(settings.listen)", at: Clock.now())
  }

  /// - Throws: `notPermitted` or `unavailable` when the port cannot be had.
  public func run(into sink: any ObservationSink) async throws(SourceError) {
    let stop = StopEvent()
    guard stop.descriptor >= 0 else { throw SourceError(.limit, "\(name): no descriptor is free; raise LimitNOFILE") }
    let failure = await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<SourceError?, Never>) in
        do throws(WorkerThread.Refusal) {
          // A thread of its own: the loop waits in the kernel, which the pool of tasks must not.
          let thread = try WorkerThread { [settings, meter] in
            continuation.resume(returning: Self.listen(settings, meter, sink, stop))
          }
          thread.detach()
        } catch {
          continuation.resume(returning: SourceError(.limit, "\(name): no thread to listen with: \(error.message)"))
        }
      }
    } onCancel: {
      stop.raise()
    }
    if let failure { throw failure }
  }

  private static func listen(
    _ settings: CollectorSettings, _ meter: SourceMeter, _ sink: any ObservationSink, _ stop: StopEvent
  ) -> SourceError? {
    do throws(ListenError) {
      let receiver = try ExportReceiver(settings)
      guard receiver.listen(to: stop.descriptor) else {
        return SourceError(.limit, "\(settings.name): the loop cannot be stopped; raise LimitNOFILE")
      }
      CollectorLoop(settings, receiver, meter, sink).run()
      return nil
    } catch {
      return SourceError(.unavailable, "\(settings.name): \(error.description)")
    }
  }
}

/// Wakes up a loop from any thread, once.
final class StopEvent: Sendable {
  let descriptor: Int32
  init() { descriptor = clinux_event_make() }
  deinit { if descriptor >= 0 { close(descriptor) } }
  func raise() { _ = clinux_event_raise(descriptor) }
}
