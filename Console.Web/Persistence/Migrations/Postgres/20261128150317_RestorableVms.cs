using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Plinth.Web.Persistence.Migrations.Postgres
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
                type: "text",
                nullable: true,
                collation: "C");

            migrationBuilder.AddColumn<long>(
                name: "RestorableUntil",
                table: "Vms",
                type: "bigint",
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
