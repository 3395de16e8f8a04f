import CLinux
import Glibc
import Mothlight
import Synchronization

/// The name server as a whole: opens its sockets, runs a thread for each worker, gives them new zones, and hands on what
/// they counted.
///
/// All methods are called from one thread, the leader's; nothing waits for a slow disk but that one.
public final class DNSServer {
  enum Bound {
    /// Workers for UDP; more than processors gain nothing.
    static let workers = 16
    /// Seconds after which a random secret for cookies is renewed (RFC 9018 section 5 leaves it to the operator).
    static let secretSeconds: Int64 = 86_400
  }

  public let settings: DNSSettings
  /// Where it listens, with the ports that were given for port 0.
  public private(set) var addresses: [ListenAddress] = []
  public private(set) var zones: ServedZones
  private var secrets: CookieSecrets
  private var renewSecretsAt: Int64
  private var workers: [Worker] = []
  private var datagramSockets: [[Int32]] = []
  private var listeners: [Int32] = []

  private struct Worker {
    var thread: WorkerThread
    var mailbox: WorkerMailbox
  }

  /// Opens all sockets; what it needs privileges for is done after this.
  /// - Throws: `ListenError` with the address and what to do, `ZoneFile.Problem` for a file of secrets.
  public init(_ settings: DNSSettings, zones: ServedZones) throws {
    self.settings = settings
    self.zones = zones
    secrets = try settings.cookieSecretsFile.map(CookieSecrets.read) ?? .random()
    renewSecretsAt = WorkerClock.now().second + Bound.secretSeconds
    do throws(ListenError) {
      try open()
    } catch {
      closeSockets()
      throw error
    }
  }

  private func open() throws(ListenError) {
    let count = max(1, min(Bound.workers, settings.udpWorkers))
    datagramSockets = Array(repeating: [], count: count)
    for wanted in settings.listen {
      var address = wanted
      // With SO_REUSEPORT alone a second server of this user would share the port and take half of the queries unseen.
      let probe = try Self.socket(address, isStream: false, isShared: false, &address.port)
      close(probe)
      for worker in 0..<count {
        datagramSockets[worker].append(try Self.socket(address, isStream: false, isShared: count > 1, &address.port))
      }
      listeners.append(try Self.socket(address, isStream: true, isShared: false, &address.port))
      addresses.append(address)
    }
  }

  private static func socket(
    _ address: ListenAddress, isStream: Bool, isShared: Bool, _ port: inout UInt16
  ) throws(ListenError) -> Int32 {
    var end = clinux_peer(high: address.address.high, low: address.address.low, port: address.port)
    let socket = clinux_server_socket(
      &end, isStream ? 1 : 0, isShared ? 1 : 0, DatagramWorker.Bound.receiveBuffer, &port)
    guard socket >= 0 else { throw .opening(isStream ? "tcp" : "udp", address, errno) }
    return socket
  }

  private func closeSockets() {
    for socket in datagramSockets.joined() { close(socket) }
    for socket in listeners { close(socket) }
    (datagramSockets, listeners) = ([], [])
  }

  deinit { closeSockets() }

  // MARK: Running

  /// Starts the workers.
  public func start() throws(ListenError) {
    let settings = settings
    while let sockets = datagramSockets.last {
      guard let exchange = DatagramWorker.exchange() else {
        throw ListenError("no memory for the name server's worker")
      }
      // Handed to the one thread that uses and frees it.
      nonisolated(unsafe) let handed = exchange
      try run { mailbox in
        var worker = DatagramWorker(sockets, handed, settings, mailbox)
        worker.run()
      }
      datagramSockets.removeLast()
    }
    let listeners = listeners
    try run { mailbox in
      var worker = StreamWorker(listeners, settings, mailbox)
      worker.run()
    }
    self.listeners = []
  }

  private func run(_ body: @escaping @Sendable (WorkerMailbox) -> Void) throws(ListenError) {
    let mailbox = WorkerMailbox(.init(zones: zones, secrets: secrets))
    do throws(WorkerThread.Refusal) {
      workers.append(Worker(thread: try WorkerThread { body(mailbox) }, mailbox: mailbox))
    } catch {
      throw ListenError("no thread for the name server: \(error.message)")
    }
  }

  /// Serves other zones from each worker's next round on; no query is lost and none waits.
  public func serve(_ zones: ServedZones) {
    self.zones = zones
    publish()
  }

  /// Reads the file of secrets again; with a broken one the present secrets stay.
  public func reloadSecrets() throws(ZoneFile.Problem) {
    guard let path = settings.cookieSecretsFile else { return }
    secrets = try CookieSecrets.read(path)
    publish()
  }

  private func publish() {
    for worker in workers { worker.mailbox.publish(.init(zones: zones, secrets: secrets)) }
  }

  /// To be called about every second: hands on what was counted, and renews secrets.
  public func turn(_ count: (QueryCount) -> Void) {
    for worker in workers {
      for filled in worker.mailbox.takeFilled() { filled.visit(count) }
    }
    let second = WorkerClock.now().second
    if settings.cookieSecretsFile == nil, second >= renewSecretsAt {
      renewSecretsAt = second + Bound.secretSeconds
      secrets = secrets.rotated()
      publish()
    }
  }

  /// The sum over all workers, some half second old.
  public var counters: DNSCounters { workers.reduce(DNSCounters()) { $0 + $1.mailbox.counters } }

  /// Metrics in Prometheus' text.
  public var prometheusText: String {
    let second = WorkerClock.now().second
    let served = zones.orders.count { $0.isServed(at: second) }
    let soonest = zones.orders.filter { $0.isServed(at: second) }.map(\.end).min()
    return counters.prometheusText + """
      # TYPE mothlight_dns_zone_names gauge
      mothlight_dns_zone_names \(zones.nameCount)
      # TYPE mothlight_dns_orders_served gauge
      mothlight_dns_orders_served \(served)
      # TYPE mothlight_dns_orders_not_served gauge
      mothlight_dns_orders_not_served \(zones.orders.count - served)
      # TYPE mothlight_dns_next_order_end_seconds gauge
      mothlight_dns_next_order_end_seconds \(soonest ?? 0)

      """
  }

  /// Answers what has arrived, ends the workers, and hands on the last counts.
  public func stop(_ count: (QueryCount) -> Void) {
    for worker in workers { worker.mailbox.stop() }
    for worker in workers { worker.thread.join() }
    turn(count)
  }
}
