using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Plinth.Web.Persistence.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class VmTrouble : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "Trouble",
                table: "Vms",
                type: "TEXT",
                nullable: false,
                defaultValue: "",
                collation: "BINARY");

            migrationBuilder.CreateIndex(
                name: "IX_Vms_Trouble",
                table: "Vms",
                column: "Trouble",
                filter: "\"Trouble\" <> ''");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_Vms_Trouble",
                table: "Vms");

            migrationBuilder.DropColumn(
                name: "Trouble",
                table: "Vms");
        }
    }
}
