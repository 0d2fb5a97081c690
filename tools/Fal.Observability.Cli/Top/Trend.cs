namespace Fal.Observability.Cli.Top;

/// <summary>The latest values of one gauge, one for each read. A read without a value leaves a gap.</summary>
internal sealed class Trend
{
    /// <summary>How many reads are kept: ten minutes at the shortest interval.</summary>
    public const int Capacity = 60;

    private readonly float[] _values = new float[Capacity];
    private int _first = -1;
    private int _last = -1;

    /// <summary>Sets the value of a read.</summary>
    /// <param name="read">The number of the read, which rises.</param>
    /// <param name="value">The value; null or NaN: the service sent none.</param>
    public void Set(int read, double? value)
    {
        _first = _first < 0 ? read : _first;
        for (int missed = Math.Max(_last + 1, read - Capacity); missed < read; missed++)
        {
            _values[missed % Capacity] = float.NaN;
        }

        _values[read % Capacity] = (float)(value ?? double.NaN);
        _last = read;
    }

    /// <summary>The value of a read; NaN: none, or no longer kept.</summary>
    public float this[int read] =>
        _first >= 0 && read >= _first && read <= _last && read > _last - Capacity ? _values[read % Capacity] : float.NaN;

    /// <summary>The reads up to one as bars, the newest on the right. The highest bar is the highest value of them.</summary>
    /// <param name="upTo">The number of the last read to show.</param>
    /// <param name="width">How many reads to show.</param>
    /// <param name="ramp">The characters from zero to the highest value.</param>
    public string Draw(int upTo, int width, string ramp) =>
        Draw(width, ramp, i => this[upTo - width + 1 + i]);

    /// <summary>Values as bars. A NaN leaves a blank.</summary>
    public static string Draw(int width, string ramp, Func<int, double> valueAt)
    {
        double highest = 0;
        for (int i = 0; i < width; i++)
        {
            highest = valueAt(i) is var value && value > highest && double.IsFinite(value) ? value : highest;
        }

        return string.Create(width, (highest, ramp, valueAt), static (bars, source) =>
        {
            for (int i = 0; i < bars.Length; i++)
            {
                double value = source.valueAt(i);
                bars[i] = double.IsNaN(value) ? ' '
                    : source.highest <= 0 || value <= 0 ? source.ramp[0]
                    : source.ramp[(int)Math.Ceiling(Math.Min(1, value / source.highest) * (source.ramp.Length - 1))];
            }
        });
    }
}
