namespace Fal.Observability.Client;

/// <summary>Finds, with few calls, the endpoints for which the service refuses, or fails on, a call that names many.</summary>
/// <remarks>
/// <para>
/// A call is refused if it names one refused endpoint or more. Halving a refused list, and following the half that is refused, finds one
/// of them; where the first half is accepted, the other is known to be refused without a call. The parts that were not looked at go back
/// to the rest, which is then tried in pieces: whole while few are known to be refused, smaller the more there are.
/// </para>
/// <para>
/// For n of 50 endpoints this stays below 1 + n (2 ceil(log2(50 / n)) + 2) calls, with the call that was refused first and the one
/// that at last brings the data.
/// </para>
/// </remarks>
/// <param name="probe">Makes a call with these endpoints: null where it is accepted, else the refusal.</param>
/// <param name="maxProbes">How many calls may be made.</param>
internal sealed class AnalyticsRefusalSearch(Func<IReadOnlyList<string>, Task<FalApiException?>> probe, int maxProbes = int.MaxValue)
{
    private readonly Dictionary<string, FalApiException> _refused = new(StringComparer.Ordinal);
    private int _accepted;
    private int _probes;

    /// <summary>The endpoints found so far, each with the refusal that names it.</summary>
    public IReadOnlyDictionary<string, FalApiException> Refused => _refused;

    /// <summary>Tries endpoints one by one until one is accepted.</summary>
    /// <returns>The accepted one; null if there is none.</returns>
    public async Task<string?> FindAcceptedAsync(IEnumerable<string> endpointIds)
    {
        foreach (string id in endpointIds)
        {
            if (await ProbeAsync([id]).ConfigureAwait(false) is not { } refusal)
            {
                _accepted++;
                return id;
            }

            _refused[id] = refusal;
        }

        return null;
    }

    /// <summary>Finds all that are refused.</summary>
    /// <param name="endpointIds">Endpoints that are not settled yet.</param>
    /// <param name="refusal">The refusal of a call because of one of them; null where it is not known that there is one.</param>
    /// <returns>Those that no call was left for.</returns>
    public async Task<IReadOnlyList<string>> FindRefusedAsync(IReadOnlyList<string> endpointIds, FalApiException? refusal)
    {
        List<string> rest = refusal is null ? [.. endpointIds] : [];
        IReadOnlyList<string> suspects = refusal is null ? [] : endpointIds;
        while (suspects.Count > 0 || rest.Count > 0)
        {
            if (suspects.Count == 0)
            {
                if (_probes == maxProbes)
                {
                    return rest;
                }

                List<string> piece = rest[..PieceOf(rest.Count)];
                rest.RemoveRange(0, piece.Count);
                refusal = await ProbeAsync(piece).ConfigureAwait(false);
                if (refusal is null)
                {
                    _accepted += piece.Count;
                    continue;
                }

                suspects = piece;
            }

            while (suspects.Count > 1)
            {
                if (_probes == maxProbes)
                {
                    return [.. suspects, .. rest];
                }

                int cut = LargestPowerOfTwoBelow(suspects.Count);
                IReadOnlyList<string> first = [.. suspects.Take(cut)];
                IReadOnlyList<string> second = [.. suspects.Skip(cut)];
                if (await ProbeAsync(first).ConfigureAwait(false) is { } narrower)
                {
                    refusal = narrower;
                    rest.InsertRange(0, second);
                    suspects = first;
                }
                else
                {
                    _accepted += first.Count;
                    suspects = second;
                }
            }

            _refused[suspects[0]] = refusal!;
            suspects = [];
        }

        return [];
    }

    private Task<FalApiException?> ProbeAsync(IReadOnlyList<string> endpointIds)
    {
        _probes++;
        return probe(endpointIds);
    }

    private int PieceOf(int count)
    {
        if (_refused.Count <= 2)
        {
            return count;
        }

        // One and a half times the endpoints that there are to a refused one so far: a piece is then refused about as often as not.
        int piece = 1;
        while (4 * piece * _refused.Count <= 3 * (_accepted + _refused.Count))
        {
            piece *= 2;
        }

        return Math.Min(piece, count);
    }

    private static int LargestPowerOfTwoBelow(int count)
    {
        int power = 1;
        while (power * 2 < count)
        {
            power *= 2;
        }

        return power;
    }
}
