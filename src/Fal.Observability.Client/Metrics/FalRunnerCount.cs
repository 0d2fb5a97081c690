using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>How many runners of one machine type are in one state.</summary>
/// <param name="State">The state, one of <see cref="FalRunnerStates"/> or a newer one; empty if the sample named none.</param>
/// <param name="MachineType">The machine's product name, such as <c>NVIDIA H100 80GB HBM3</c>; empty if the sample named none.</param>
/// <param name="Count">The number of runners. NaN if the service sent NaN.</param>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public readonly record struct FalRunnerCount(string State, string MachineType, double Count)
{
    /// <summary>The count, the state and the machine, for a log line.</summary>
    /// <returns>A short text.</returns>
    public override string ToString() => FormattableString.Invariant($"{Count} {State} on {MachineType}");
}
