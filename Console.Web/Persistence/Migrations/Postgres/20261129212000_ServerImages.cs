using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Plinth.Web.Persistence.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class ServerImages : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<int>(
                name: "ImagesHeld",
                table: "Servers",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "ImagesLacking",
                table: "Servers",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "ImagesReason",
                table: "Servers",
                type: "text",
                nullable: true,
                collation: "C");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "ImagesHeld",
                table: "Servers");

            migrationBuilder.DropColumn(
                name: "ImagesLacking",
                table: "Servers");

            migrationBuilder.DropColumn(
                name: "ImagesReason",
                table: "Servers");
        }
    }
}
