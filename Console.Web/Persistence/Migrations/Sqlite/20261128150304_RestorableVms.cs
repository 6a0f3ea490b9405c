using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Plinth.Web.Persistence.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class RestorableVms : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "PowerBefore",
                table: "Vms",
                type: "TEXT",
                nullable: true,
                collation: "BINARY");

            migrationBuilder.AddColumn<long>(
                name: "RestorableUntil",
                table: "Vms",
                type: "INTEGER",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "PowerBefore",
                table: "Vms");

            migrationBuilder.DropColumn(
                name: "RestorableUntil",
                table: "Vms");
        }
    }
}
