import Glibc
import Mothlight
import MothlightStation
import Synchronization

/// The collector alone, on loopback, with nothing behind it: `collect PORT SECONDS`. Prints what it counted as one line of JSON.
final class CountingSink: ObservationSink {
  let flows = Atomic<Int>(0)
  func send(_ batch: [Observation]) async { _ = offer(batch) }
  func offer(_ batch: [Observation]) -> Bool {
    flows.add(batch.count, ordering: .relaxed)
    return true
  }
}

let arguments = CommandLine.arguments
guard arguments.count == 3, let port = UInt16(arguments[1]), let seconds = Double(arguments[2]), seconds < 600 else {
  print("usage: collect PORT SECONDS")
  exit(2)
}
let sink = CountingSink()
let listen = ListenAddress(address: IPAddress(v4: 0x7f00_0001), port: port)
let source = CollectorSource(CollectorSettings(name: "benchmark", listen: listen))
let task = Task { try await source.run(into: sink) }
while source.meter.health.state != .running { try await Task.sleep(for: .milliseconds(10)) }
print("ready")
fflush(nil)
// Ends by itself once nothing has come for a while after something had.
var last: UInt64 = 0
var quiet = 0
let end = ContinuousClock.now + .seconds(seconds)
while quiet < 20, ContinuousClock.now < end {
  try await Task.sleep(for: .milliseconds(200))
  let now = source.meter.health.octets
  quiet = now == last && now > 0 ? quiet + 1 : 0
  last = now
}
task.cancel()
try await task.value
var usage = rusage()
// 0 is RUSAGE_SELF, which the two ways of importing Glibc give different types.
getrusage(0, &usage)
func value(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
let cpu = value(usage.ru_utime) + value(usage.ru_stime)
let health = source.meter.health
print(
  "{\"records\": \(health.records), \"flows\": \(sink.flows.load(ordering: .relaxed)), \"dropped\": "
    + "\(health.dropped.values.reduce(0, +)), \"unparsed\": \(health.unparsed), \"cpu\": \(cpu)}")
