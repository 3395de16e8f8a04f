/// A value moved about as one reference: an enum payload of hundreds of octets is copied, field by field, at each step.
final class Boxed<Value> {
  var value: Value
  init(_ value: Value) { self.value = value }
}
