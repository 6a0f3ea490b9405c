using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Plinth.Web.Persistence.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class DailyUse : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "Preferences",
                columns: table => new
                {
                    Principal = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY"),
                    Key = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY"),
                    Value = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Preferences", x => new { x.Principal, x.Key });
                });

            migrationBuilder.CreateTable(
                name: "SavedViews",
                columns: table => new
                {
                    Id = table.Column<Guid>(type: "TEXT", nullable: false),
                    Principal = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY"),
                    List = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY"),
                    Name = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY"),
                    Query = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY"),
                    CreatedAt = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_SavedViews", x => x.Id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_Vms_Search",
                table: "Vms",
                columns: new[] { "DeletedAt", "Name", "SearchText", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_Operations_Target_CreatedAt",
                table: "Operations",
                columns: new[] { "Target", "CreatedAt" });

            migrationBuilder.CreateIndex(
                name: "IX_SavedViews_Principal_List_Name",
                table: "SavedViews",
                columns: new[] { "Principal", "List", "Name" },
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "Preferences");

            migrationBuilder.DropTable(
                name: "SavedViews");

            migrationBuilder.DropIndex(
                name: "IX_Vms_Search",
                table: "Vms");

            migrationBuilder.DropIndex(
                name: "IX_Operations_Target_CreatedAt",
                table: "Operations");
        }
    }
}
