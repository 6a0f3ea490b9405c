using Microsoft.EntityFrameworkCore.Migrations;

namespace Plinth.Web.Persistence.Migrations;

/// <summary>Triggers by which the database itself refuses to change or remove what the audit ledger holds.</summary>
internal static class AuditGuards
{
    private static readonly (string Table, string Key)[] Ledger = [("AuditEntries", "Sequence"), ("AuditLeaves", "Index"), ("AuditCheckpoints", "Size")];

    public static void AddSqlite(MigrationBuilder migration)
    {
        foreach (var (table, key) in Ledger)
        {
            foreach (var act in new[] { "UPDATE", "DELETE" })
                migration.Sql($"""
                    CREATE TRIGGER "{table}_refuse_{act.ToLowerInvariant()}" BEFORE {act} ON "{table}"
                    BEGIN SELECT RAISE(ABORT, '{table} is append-only: {act} is refused'); END;
                    """);
            // INSERT OR REPLACE removes the old row without firing delete triggers.
            migration.Sql($"""
                CREATE TRIGGER "{table}_refuse_replace" BEFORE INSERT ON "{table}"
                WHEN EXISTS (SELECT 1 FROM "{table}" WHERE "{key}" = NEW."{key}")
                BEGIN SELECT RAISE(ABORT, '{table} is append-only: REPLACE is refused'); END;
                """);
        }
    }

    public static void RemoveSqlite(MigrationBuilder migration)
    {
        foreach (var (table, _) in Ledger)
            foreach (var act in new[] { "update", "delete", "replace" })
                migration.Sql($"""DROP TRIGGER "{table}_refuse_{act}";""");
    }

    public static void AddPostgres(MigrationBuilder migration)
    {
        migration.Sql("""
            CREATE FUNCTION plinth_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP; END $$;
            """);
        foreach (var (table, _) in Ledger)
        {
            migration.Sql($"""CREATE TRIGGER "{table}_refuse_change" BEFORE UPDATE OR DELETE ON "{table}" FOR EACH ROW EXECUTE FUNCTION plinth_refuse();""");
            migration.Sql($"""CREATE TRIGGER "{table}_refuse_truncate" BEFORE TRUNCATE ON "{table}" FOR EACH STATEMENT EXECUTE FUNCTION plinth_refuse();""");
        }
    }

    public static void RemovePostgres(MigrationBuilder migration)
    {
        foreach (var (table, _) in Ledger)
        {
            migration.Sql($"""DROP TRIGGER "{table}_refuse_change" ON "{table}";""");
            migration.Sql($"""DROP TRIGGER "{table}_refuse_truncate" ON "{table}";""");
        }
        migration.Sql("DROP FUNCTION plinth_refuse();");
    }
}
