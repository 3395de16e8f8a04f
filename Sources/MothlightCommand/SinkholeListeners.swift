import ArgumentParser
import Foundation
import Glibc
import Mothlight
import MothlightStation

/// What `mothlight sinkhole run --only listeners` does.
enum SinkholeListeners {
  static func run(_ configuration: SinkholeConfiguration, digest: [UInt8]) throws {
    var listeners = configuration.listeners
    // Names of requests and hellos belong to the orders that the name server answers for.
    let zones = ServedZones(try ZoneFile.read(configuration.zones), configuration.dns)
    listeners.familyOfHost = { zones.family(ofHost: $0, at: Int64(time(nil))) }
    listeners.digest = digest
    listeners.program = Mothlight.version
    let spool = Handed(try SinkholeSpool.open(configuration, part: "listeners"))
    do {
      let station = try Listeners(listeners, stop: .bySignals()) { spool.sink }
      for address in station.datagramAddresses { Terminal.complain("listeners: udp \(address)") }
      for address in station.streamAddresses { Terminal.complain("listeners: tcp \(address)") }
      station.run()
      let counters = station.counters
      Terminal.complain(
        "listeners: \(counters.checkIns) check-ins of \(station.sources) sources, "
          + "\(station.kernelDrops) dropped by the kernel")
    } catch let error as ConfigurationError {
      throw Failure(error.message)
    }
  }

  /// Hands the spool, opened here while the privileges are there, to the thread that writes it.
  ///
  /// Unchecked: this thread does not touch the sink after the listeners have taken it.
  private final class Handed: @unchecked Sendable {
    let sink: any SpoolSink
    init(_ sink: any SpoolSink) { self.sink = sink }
  }
}

/// `mothlight sinkhole firewall CONFIG`: prints, changes nothing.
struct SinkholeFirewall: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "firewall",
    abstract: "Print the nftables and ip rule lines that hand every port to the transparent listeners.",
    discussion: "Nothing is changed: read the lines, then run them as root, e.g. with '| sh'.")

  @Argument(help: "Configuration file (YAML).")
  var config: String

  @Option(
    name: .customLong("keep"),
    help: "Port that is not handed over, e.g. 22; may be repeated. The name server's are kept.")
  var kept: [UInt16] = []

  func run() throws {
    do {
      let configuration = try SinkholeConfiguration.read(config)
      let rules = try FirewallRules(
        addresses: configuration.addresses.ipv4 + configuration.addresses.ipv6, configuration.listeners,
        keeping: kept + configuration.dns.listen.map(\.port))
      _ = Terminal.write(rules.script, to: 1)
    } catch let problem as ZoneFile.Problem {
      throw Failure(problem.description)
    } catch let error as ListenError {
      throw Failure(error.description)
    }
  }
}
