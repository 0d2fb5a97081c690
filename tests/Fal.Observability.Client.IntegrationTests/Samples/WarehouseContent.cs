using System.Globalization;
using DuckDB.NET.Data;

namespace Fal.Observability.Client.IntegrationTests.Samples;

/// <summary>Reads what was exported as a user would, with the types that DuckDB finds in it.</summary>
internal static class WarehouseContent
{
    /// <summary>In how many rows a column has a value.</summary>
    public static long Count(string folder, string store, string column)
    {
        using DuckDBConnection connection = Open(folder, store);
        using DuckDBCommand command = connection.CreateCommand();
        command.CommandText = $"SELECT count({column}) FROM {Source(folder, store)}";
        return (long)command.ExecuteScalar()!;
    }

    public static void Execute(string statement)
    {
        using DuckDBConnection connection = Open("", "");
        using DuckDBCommand command = connection.CreateCommand();
        command.CommandText = statement;
        command.ExecuteNonQuery();
    }

    private static DuckDBConnection Open(string folder, string store)
    {
        var connection = new DuckDBConnection(store == "duckdb" ? $"DataSource={folder}/analytics.duckdb" : "DataSource=:memory:");
        connection.Open();
        return connection;
    }

    private static string Source(string folder, string store) => store switch
    {
        "duckdb" => "analytics",
        "parquet" => $"read_parquet('{folder}/parquet/*/*.parquet', hive_partitioning = false)",
        _ => $"read_json('{folder}/ndjson/*/*.ndjson', columns = {{endpoint_id: 'VARCHAR', bucket_start: 'TIMESTAMP', timeframe: " +
            $"'VARCHAR', is_provisional: 'BOOLEAN', request_count: 'BIGINT', p90_duration_seconds: 'DOUBLE', " +
                $"p75_cold_boot_duration_seconds: 'DOUBLE', total_billable_duration_seconds: 'DOUBLE'}})",
    };

    public static List<string> Read(string folder, string store)
    {
        using DuckDBConnection connection = Open(folder, store);
        using DuckDBCommand command = connection.CreateCommand();
        command.CommandText = $"SELECT endpoint_id, bucket_start, timeframe, is_provisional, request_count, p90_duration_seconds, " +
            $"total_billable_duration_seconds FROM {Source(folder, store)}";
        using DuckDBDataReader reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
        {
            object?[] values = [.. Enumerable.Range(0, 7).Select(i => reader.IsDBNull(i) ? null : reader.GetValue(i))];
            rows.Add(string.Create(CultureInfo.InvariantCulture,
                $"{(string)values[0]!} {(DateTime)values[1]!:yyyy-MM-dd HH:mm:ss} {(string)values[2]!} {((bool)values[3]! ? 1 : 0)} {(long?)values[4]} {(double?)values[5]:R} {(double?)values[6]:R}"));
        }

        rows.Sort(StringComparer.Ordinal);
        return rows;
    }
}
