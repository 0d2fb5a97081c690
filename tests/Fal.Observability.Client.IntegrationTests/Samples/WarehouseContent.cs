using System.Globalization;
using DuckDB.NET.Data;

namespace Fal.Observability.Client.IntegrationTests.Samples;

/// <summary>Reads what was exported as a user would, with the types that DuckDB finds in it.</summary>
internal static class WarehouseContent
{
    public static List<string> Read(string folder, string store)
    {
        string source = store switch
        {
            "duckdb" => "analytics",
            "parquet" => $"read_parquet('{folder}/parquet/*/*.parquet', hive_partitioning = false)",
            _ => $"read_json('{folder}/ndjson/*/*.ndjson', columns = {{endpoint_id: 'VARCHAR', bucket_start: 'TIMESTAMP', timeframe: 'VARCHAR', is_provisional: 'BOOLEAN', request_count: 'BIGINT', p90_duration_seconds: 'DOUBLE', total_billable_duration_seconds: 'DOUBLE'}})",
        };
        using var connection = new DuckDBConnection(store == "duckdb" ? $"DataSource={folder}/analytics.duckdb" : "DataSource=:memory:");
        connection.Open();
        using DuckDBCommand command = connection.CreateCommand();
        command.CommandText = $"SELECT endpoint_id, bucket_start, timeframe, is_provisional, request_count, p90_duration_seconds, total_billable_duration_seconds FROM {source}";
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
