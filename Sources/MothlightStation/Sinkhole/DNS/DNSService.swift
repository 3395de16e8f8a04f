import Glibc
import Mothlight

/// The name server as a program: zones from a file, signals, and the flow of what was counted to its sink.
public final class DNSService {
  private let configuration: SinkholeConfiguration
  private let server: DNSServer
  private let say: (String) -> Void
  private var reload: Reload?
  private var missed = false

  /// Reads the zones and opens all sockets.
  /// - Parameters:
  ///   - say: takes one line for the operator.
  /// - Throws: `ZoneFile.Problem` or `ListenError`, one line each.
  public init(_ configuration: SinkholeConfiguration, say: @escaping (String) -> Void) throws {
    self.configuration = configuration
    self.say = say
    let file = try ZoneFile.read(configuration.zones)
    for problem in file.problems { say("\(problem)") }
    if file.problemCount > file.problems.count { say("and \(file.problemCount - file.problems.count) more like these") }
    let zones = ServedZones(file, configuration.dns)
    server = try DNSServer(configuration.dns, zones: zones)
    Self.summary(zones).forEach(say)
  }

  public var addresses: [ListenAddress] { server.addresses }
  public var prometheusText: String { server.prometheusText }

  private static func summary(_ zones: ServedZones) -> [String] {
    let second = WorkerClock.now().second
    let resting = zones.orders.filter { !$0.isServed(at: second) }.map { order in
      let reason = order.end <= second ? "has ended" : "has not begun"
      return "\(zones.path):\(order.line): \(order.family), order \(order.authority.order) \(reason); it is not served"
    }
    let served = zones.orders.count - resting.count
    return resting + [
      "\(zones.nameCount) names of \(zones.orders.count) orders, \(served) of them served; "
        + "\(zones.memoryOctets >> 10) KiB of names"
    ]
  }

  /// Serves until SIGTERM or SIGINT; SIGHUP reads the zones and the secrets again.
  ///
  /// Signals have to be held back (`Signals.holdBack`) before the first thread starts.
  /// - Parameter count: takes each count, on this thread.
  public func run(_ count: (QueryCount) -> Void) throws(ListenError) {
    try server.start()
    for address in server.addresses { say("answers on \(address), udp and tcp") }
    loop: while true {
      switch Signals.next(withinMilliseconds: 1000) {
      case SIGTERM, SIGINT: break loop
      case SIGHUP: beginReload()
      default: break
      }
      finishReload()
      server.turn(count)
    }
    server.stop(count)
    let done = server.counters
    say("stopped after \(done.queriesUDP + done.queriesTCP) queries")
  }

  // MARK: Reload

  private func beginReload() {
    guard reload == nil else {
      missed = true
      return
    }
    do throws(ZoneFile.Problem) { try server.reloadSecrets() } catch {
      say("\(error); the present secrets stay")
    }
    reload = Reload(configuration.zones, configuration.dns)
  }

  private func finishReload() {
    guard let result = reload?.result else { return }
    reload = nil
    switch result {
    case .success(let zones):
      server.serve(zones)
      Self.summary(zones).forEach(say)
    case .failure(let refusal):
      refusal.lines.forEach(say)
      say("\(configuration.zones) was not taken; the zones of before stay")
    }
    if missed {
      missed = false
      beginReload()
    }
  }
}
