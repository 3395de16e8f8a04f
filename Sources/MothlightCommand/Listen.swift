import ArgumentParser
import Foundation
import Mothlight
import MothlightStation

/// `mothlight listen`: listeners without a configuration file, for benchmarks and a first look.
struct Listen: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "listen", abstract: "Count check-ins on a few ports of this machine, without a spool.",
    shouldDisplay: false)

  @Option(help: "Address and port for datagrams, e.g. 127.0.0.1:3431; may be repeated.")
  var udp: [String] = []

  @Option(help: "Address and port for connections; may be repeated.")
  var tcp: [String] = []

  @Option(help: "Botnet whose machines come here.")
  var family = ""

  @Option(help: "UDP sockets on each port.")
  var sockets = 1

  @Option(help: "IPv4 sources that the tally has room for.")
  var sources = 1 << 24

  @Option(help: "File that holds the tally.")
  var tally: String?

  @Option(help: "Most connections of one source.")
  var perSource = 256

  @Option(help: "Seconds that a connection may take.")
  var timeout = 5

  @Option(help: "Loopback address for /metrics.")
  var metrics: String?

  @Option(help: "User to become once the ports are open.")
  var user: String?

  @Flag(help: "Take what a TPROXY rule hands over.")
  var transparent = false

  @Flag(help: "Answer TLS on the ports for connections.")
  var tls = false

  @Flag(help: "Print a line for every check-in of the sample.")
  var show = false

  func run() throws {
    var configuration = ListenerConfiguration()
    configuration.listeners = try udp.map {
      .init(try address($0), .udp, family: family, isTransparent: transparent, sockets: sockets)
    }
    configuration.listeners += try tcp.map {
      .init(try address($0), .tcp, family: family, isTransparent: transparent, terminatesTLS: tls)
    }
    configuration.tally.sourcesV4 = sources
    configuration.tally.path = tally
    configuration.limits.connectionsPerSource = perSource
    configuration.limits.timeoutSeconds = timeout
    configuration.user = user
    configuration.metrics = try metrics.map(address)
    do {
      let listeners = try Listeners(configuration, stop: .bySignals()) { [show] in ConsoleSink(showing: show) }
      for address in listeners.datagramAddresses { Terminal.complain("udp \(address)") }
      for address in listeners.streamAddresses { Terminal.complain("tcp \(address)") }
      listeners.run()
      let counters = listeners.counters
      _ = Terminal.write(
        "check-ins \(counters.checkIns), sources \(listeners.sources), kernel drops \(listeners.kernelDrops), "
          + "sampled out \(counters.sampledOut), refused \(counters.refused)\n", to: 1)
    } catch let error as ListenError {
      throw Failure(error.description)
    } catch let error as ConfigurationError {
      throw Failure(error.message)
    }
  }

  private func address(_ text: String) throws -> ListenAddress {
    guard let address = ListenAddress(text) else {
      throw Failure("\(text): not an address and port; write 127.0.0.1:3431 or [::1]:3431")
    }
    return address
  }
}

/// Shows notices; rows and samples are counted elsewhere.
final class ConsoleSink: SpoolSink {
  private let isShowing: Bool
  init(showing isShowing: Bool = false) { self.isShowing = isShowing }

  func append(_ record: SpoolRecord) {
    switch record {
    case .notice(let notice): Terminal.complain("\(notice.time) \(notice.event)")
    case .sample(let one, _) where isShowing:
      _ = Terminal.write(
        "\(one.time) \(one.source) > \(one.destination):\(one.destinationPort) \(one.transport) \(one.level.name) "
          + "\(one.rule ?? "-")\n", to: 1)
    default: break
    }
  }
  func flush(now: Timestamp) {}
}
