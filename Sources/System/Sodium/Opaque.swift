/// `value` itself, of which the optimiser then knows nothing: a mask that it knows to be all zeros or all ones it may turn into the
/// branch that the mask was to avoid.
///
/// It cannot look into a function of another module that must not be inlined.
@inline(never) public func opaque(_ value: UInt32) -> UInt32 { value }
